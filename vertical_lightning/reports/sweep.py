"""A sweep's folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from vertical_lightning.reports.job import Job, read_job
from vertical_lightning.reports.manifest import JOB, SWEEP, read

IS = "A sweep's folder is what `vl-train -m …` leaves, logs/sweeps/<date>_<time>/: it holds study.json and a folder a job."


@dataclass(frozen=True)
class Sweep:
    """One sweep: where its jobs come from.

    Attributes:
        folder: Where it lies.
        command: What was typed.
        versions: Of Python and of the libraries.
        commit: Of the git checkout that it ran from; empty where there was none.
        changed: Whether the checkout had changes that were not committed.
        started: ISO date and time.
        swept: The keys that it swept.
        objectives: The metrics that it ranks by; the first decides.
        jobs: Its jobs.
        shown: Further metrics that its report shows.
    """

    folder: Path
    command: str
    versions: Mapping[str, str]
    commit: str
    changed: bool
    started: str
    swept: Sequence[str]
    objectives: Sequence[str]
    jobs: Sequence[Job]
    shown: Sequence[str] = ()


def read_sweep(folder: Path) -> Sweep:
    """Read a sweep's folder and all its jobs.

    Raises:
        ValueError: If it is no sweep's folder, or has no jobs.
    """
    if not folder.is_dir():
        raise ValueError(f"{folder} {'is no folder' if folder.exists() else 'does not exist'}. {IS}")
    if not (folder / SWEEP).is_file():
        within = sorted(path.parent.name for path in folder.glob(f"*/{SWEEP}"))
        hint = f"It has sweeps within; name one or several of them: {', '.join(within[:5])}." if within else IS
        raise ValueError(f"{folder} is no sweep's folder: it has no study.json. {hint}")
    record = read(folder, SWEEP)
    jobs = [read_job(path) for path in sorted(folder.iterdir()) if (path / JOB).exists() or (path / ".hydra").exists()]
    if not jobs:
        raise ValueError(f"{folder} has no jobs yet: there is nothing to report.")
    return Sweep(
        folder=folder,
        command=record["command"],
        versions={str(name): str(version) for name, version in (record.get("versions") or {}).items()},
        commit=str(record.get("commit") or ""),
        changed=bool(record.get("changed")),
        started=record["started"],
        swept=[str(key) for key in record["swept"]],
        objectives=[str(metric) for metric in record["objective"]],
        jobs=jobs,
        shown=[str(metric) for metric in record.get("report") or ()],
    )
