"""Sweeps that ask one question, as one study."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from vertical_lightning.reports.job import Job, chosen
from vertical_lightning.reports.manifest import OF_A_SPLIT
from vertical_lightning.reports.natural_sort import natural, text
from vertical_lightning.reports.sweep import Sweep, read_sweep

REPEATED = ("seed", "datamodule.fold")
"""What jobs of one group differ in: their mean is reported, and how far it may be off."""

INSTEAD = tuple(f"{phase}/{name}" for name in ("accuracy", "rmse", "loss") for phase in ("val", "test", "train"))
"""What ranks where no job has the objective, or none was given: validation rows first, so that none is chosen on test rows."""


@dataclass(frozen=True)
class Study:
    """Jobs of one or several sweeps.

    Attributes:
        sweeps: The oldest first.
        jobs: In the order of what was swept; a job that several sweeps have is there once.
        swept: The keys in which jobs differ on purpose.
        objectives: The metrics that it ranks by; the first decides.
        note: What the reader must know about the objective; empty where all is as asked.
    """

    sweeps: Sequence[Sweep]
    jobs: Sequence[Job]
    swept: Sequence[str]
    objectives: Sequence[str]
    note: str

    @property
    def completed(self) -> list[Job]:
        """Return the jobs that have results."""
        return [job for job in self.jobs if job.state == "completed"]

    @property
    def split(self) -> list[Job]:
        """Return the jobs that have results, and in which parties exchanged something."""
        return [job for job in self.completed if not job.baseline]

    @property
    def varied(self) -> list[str]:
        """Return the keys that tell groups apart: those with several values, without seed and fold."""
        keys = [key for key in self.swept if key not in REPEATED]
        values = {key: {job.swept[key] for job in self.completed if key in job.swept} for key in keys}
        return [key for key, different in values.items() if len(different) > 1]


def gather(folders: Sequence[Path]) -> Study:
    """Read sweeps' folders, in whatever order they are given.

    Raises:
        ValueError: If a folder is no sweep's, or the sweeps do not ask one question.
    """
    if not folders:
        raise ValueError("No folder was given: name the folder of a sweep, logs/sweeps/<date>_<time>/.")
    unique = {folder.resolve(): folder for folder in folders}
    sweeps = sorted(map(read_sweep, unique.values()), key=lambda sweep: (sweep.started, sweep.folder.name))
    check_one_study(sweeps)
    swept = list(dict.fromkeys(key for sweep in sweeps for key in sweep.swept))
    jobs = once([complete(job, sweep, swept) for sweep in sweeps for job in sweep.jobs])
    jobs, told_apart = tell_apart(jobs)
    swept += told_apart
    objectives, note = rankable(sweeps[0].objectives, [job for job in jobs if job.state == "completed"])
    return Study(sweeps, sorted(jobs, key=lambda job: order(job, swept)), swept, objectives, note)


def check_one_study(sweeps: Sequence[Sweep]) -> None:
    """Refuse sweeps whose jobs cannot stand in one table."""
    first = sweeps[0]
    for other in sweeps[1:]:
        both = f"{first.folder} and {other.folder} are different studies"
        if list(first.objectives) != list(other.objectives):
            said = f"one ranks by {', '.join(first.objectives)}, the other by {', '.join(other.objectives)}"
        elif not set(first.swept) & set(other.swept):
            said = f"one sweeps {', '.join(first.swept)}, the other {', '.join(other.swept)}, and they have no key in common"
        elif data(first) != data(other) and not ("data" in first.swept and "data" in other.swept):
            said = f"one has the data set {' and '.join(data(first))}, the other {' and '.join(data(other))}"
        else:
            continue
        raise ValueError(f"{both}: {said}. Report each by itself.")


def data(sweep: Sweep) -> list[str]:
    """Name the data sets of a sweep's jobs."""
    return sorted({text(job.parameters["data"]) for job in sweep.jobs if job.parameters.get("data")})


def complete(job: Job, sweep: Sweep, swept: Sequence[str]) -> Job:
    """Say also what a job used for the keys that only other sweeps swept, and of its own no more than was swept."""
    elsewhere = {key: chosen(job, key) for key in swept if key not in sweep.swept}
    own = {key: value for key, value in job.swept.items() if key in sweep.swept}
    both = own | {key: value for key, value in elsewhere.items() if value is not None}
    return replace(job, swept={key: value for key, value in both.items() if not (job.baseline and key in OF_A_SPLIT)})


def once(jobs: Iterable[Job]) -> list[Job]:
    """Keep one job a key: the latest completed one, or else the latest; jobs come oldest sweep first."""
    kept: dict[str, Job] = {}
    for job in sorted(jobs, key=lambda job: job.state == "completed"):
        kept[job.key or str(job.folder.resolve())] = job
    done = [job.swept for job in kept.values() if job.state == "completed"]
    return [job for job in kept.values() if job.state != "interrupted" or job.swept not in done]


def tell_apart(jobs: Sequence[Job]) -> tuple[list[Job], list[str]]:
    """Find what differs between jobs that would pass for seeds of one another: sweeps that were configured differently.

    Such parameters become columns beside what was swept; a mean over them would be a mean over different things.
    """
    alike: dict[tuple[object, ...], list[Job]] = defaultdict(list)
    for job in jobs:
        if job.state == "completed":
            alike[job.baseline, *sorted((key, value) for key, value in job.swept.items() if key not in REPEATED)].append(job)
    names_of_parameters: set[str] = set()
    for group in alike.values():
        for name in {name for job in group for name in job.parameters}:
            if name not in REPEATED and len({text(job.parameters.get(name)) for job in group}) > 1:
                names_of_parameters.add(name)
    names = sorted(names_of_parameters - {key for job in jobs for key in job.swept} - {"baseline"})
    return [replace(job, swept={**job.swept, **held(job, names)}) for job in jobs], names


def held(job: Job, names: Sequence[str]) -> dict[str, str]:
    """Return those of a job's parameters that it has, as text."""
    return {name: text(job.parameters[name]) for name in names if job.parameters.get(name) is not None}


def order(job: Job, swept: Sequence[str]) -> tuple[object, ...]:
    """Return what jobs are sorted by; nothing of it depends on when and where they ran."""
    return (*(natural(job.swept.get(key, "")) for key in swept), job.baseline, job.state, job.key, job.reason)


def rankable(objectives: Sequence[str], completed: Sequence[Job]) -> tuple[list[str], str]:
    """Return the objectives that some job has, and what to say where that is not what was asked."""
    known = {name for job in completed for name in job.metrics}
    if not objectives:
        ranks = next((metric for metric in INSTEAD if metric in known), INSTEAD[0])
        return [ranks], "" if ranks.startswith(
            "val/"
        ) or not completed else f"There are no validation rows: it ranks by {ranks}."
    measured = [metric for metric in objectives if metric in known]
    if not completed or measured[:1] == list(objectives[:1]):
        return measured or list(objectives), ""
    missing = ", ".join(metric for metric in objectives if metric not in known)
    instead = measured or [metric for metric in INSTEAD if metric in known][:1] or sorted(known)[:1]
    if not instead:
        return list(objectives), f"No job has {missing}, nor any other metric: there is nothing to rank by."
    return instead, f"No job has {missing}; the report ranks by {instead[0]} instead."


def tidy(study: Study) -> pd.DataFrame:
    """Lay the jobs out, one row each: state, reason, what was swept, metrics.

    Nothing in it tells when and where a job ran, so that a sweep which was resumed gives the same table.
    """
    metrics = sorted({name for job in study.jobs for name in job.metrics})
    rows: list[list[object]] = [
        [job.state, job.reason or None, job.baseline or None, *map(job.swept.get, study.swept), *map(job.metrics.get, metrics)]
        for job in study.jobs
    ]
    return pd.DataFrame(rows, columns=["state", "reason", "baseline", *study.swept, *metrics], dtype=object)
