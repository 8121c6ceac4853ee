"""Where the jobs of a report can be looked at: their folders, and their runs in TensorBoard."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from vertical_lightning.reports.job import Job
from vertical_lightning.reports.study import REPEATED

TENSORBOARD = "http://localhost:6006/"
"""Where `tensorboard --logdir FOLDER` shows itself unless told otherwise."""


@dataclass(frozen=True)
class Link:
    """A job in the page.

    Attributes:
        label: What tells it from the others of its row.
        folder: Its folder, as seen from the page.
        tensorboard: Its run in TensorBoard.
    """

    label: str
    folder: str
    tensorboard: str


def links(jobs: Sequence[Job], into: Path, labels: Sequence[str] = ()) -> list[Link]:
    """Return a link a job, as seen from the folder `into`; without labels, seed and fold are theirs."""
    return [link(job, into, label) for job, label in zip(jobs, labels or map(repeated, jobs), strict=True)]


def link(job: Job, into: Path, label: str) -> Link:
    """Return a job's link."""
    folder = Path(os.path.relpath(job.folder.resolve(), into.resolve())).as_posix()
    run = f"^{re.escape(job.folder.name)}(/|$)"
    return Link(label, f"{quote(folder)}/", f"{TENSORBOARD}?runFilter={quote(run, safe='')}#timeseries")


def repeated(job: Job) -> str:
    """Name a job among those of its row.

    >>> repeated(Job(Path("3_cut=1,seed=0"), "completed", "", "", {"cut": "1", "seed": "0"}, {}, {}, 1.0))
    'seed=0'
    """
    told = [f"{key.rpartition('.')[2]}={job.swept[key]}" for key in REPEATED if key in job.swept]
    return ", ".join(told) or job.folder.name
