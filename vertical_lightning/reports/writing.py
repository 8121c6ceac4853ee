"""Write the report of one or several sweeps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from vertical_lightning.reports import wording
from vertical_lightning.reports.markdown import as_markdown
from vertical_lightning.reports.page import as_page
from vertical_lightning.reports.pictures import pictures
from vertical_lightning.reports.study import gather, tidy
from vertical_lightning.reports.table import tabulated
from vertical_lightning.reports.unfinished import unfinished


@dataclass(frozen=True)
class Report:
    """What was written.

    Attributes:
        csv: One row a job.
        markdown: The ranked table.
        page: All of it, with pictures.
        states: How many jobs completed, failed, were skipped or interrupted.
        best: A sentence: which row is best.
        counted: A sentence: how many jobs there are of each state.
    """

    csv: Path
    markdown: Path
    page: Path
    states: Mapping[str, int]
    best: str
    counted: str

    def __str__(self) -> str:
        return f"{self.counted}\n{self.best}\n{self.page}"


def write(folders: Sequence[Path], into: Path) -> Report:
    """Write `summary.csv`, `summary.md` and `report.html`.

    Args:
        folders: Sweeps of one study, in any order.
        into: Where the three files go; what stands there under their names is replaced.

    Raises:
        ValueError: If a folder is no sweep's, or the sweeps are different studies. Nothing is written then.
        OSError: If `into` cannot be written.
    """
    study = gather(folders)
    table, missing = tabulated(study), unfinished(study)
    texts = {
        "summary.csv": tidy(study).to_csv(index=False, lineterminator="\n"),
        "summary.md": as_markdown(study, table, missing),
        "report.html": as_page(study, table, missing, pictures(study, table), into),
    }
    into.mkdir(parents=True, exist_ok=True)
    for name, content in texts.items():
        part = into / f"{name}.part"
        part.write_text(content, encoding="utf-8")
        part.replace(into / name)
    csv, markdown, page = (into / name for name in texts)
    states = Counter(job.state for job in study.jobs)
    return Report(csv, markdown, page, states, wording.best(study, table), wording.counts(study.jobs))
