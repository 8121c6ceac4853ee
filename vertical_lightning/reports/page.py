"""The report as one HTML page that needs nothing else: no network, no other file."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from vertical_lightning.reports import wording
from vertical_lightning.reports.links import links
from vertical_lightning.reports.pictures import Picture
from vertical_lightning.reports.study import Study
from vertical_lightning.reports.table import Table
from vertical_lightning.reports.unfinished import Unfinished


def as_page(study: Study, table: Table, missing: Sequence[Unfinished], drawn: Sequence[Picture], into: Path) -> str:
    """Fill the template; it escapes all text, since reasons and names come from anywhere.

    Args:
        study: What is reported.
        table: Its rows, ranked.
        missing: The jobs without results.
        drawn: The pictures.
        into: The page's folder, from which it points to jobs.
    """
    folder = Path(__file__).parent
    pages = Environment(
        loader=FileSystemLoader(folder), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return pages.get_template("page.html").render(
        title=wording.title(study),
        lead=f"{wording.counts(study.jobs)} · {wording.duration(sum(job.seconds for job in study.jobs))} in all",
        best=wording.best(study, table),
        ranking=wording.ranking(study, table),
        table=table,
        missing=missing,
        pictures=[(picture, Markup(picture.svg)) for picture in drawn],  # matplotlib has escaped the words in it
        origins=[(sweep.command, wording.origin(sweep)) for sweep in study.sweeps],
        links=lambda jobs, labels=(): links(jobs, into, labels),
        tensorboard=" or ".join(f"tensorboard --logdir {shlex.quote(str(sweep.folder))}" for sweep in study.sweeps),
        script=Markup((folder / "page.js").read_text()),
        style=Markup((folder / "page.css").read_text()),
    )
