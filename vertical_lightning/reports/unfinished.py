"""Jobs without results, those of one reason together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from vertical_lightning.reports.job import Job
from vertical_lightning.reports.manifest import STATES
from vertical_lightning.reports.study import Study


@dataclass(frozen=True)
class Unfinished:
    """What befell some jobs.

    Attributes:
        state: failed, skipped or interrupted.
        reason: Why.
        jobs: The jobs.
        names: Each by what it was given.
    """

    state: str
    reason: str
    jobs: Sequence[Job]
    names: Sequence[str]


def unfinished(study: Study) -> list[Unfinished]:
    """List the jobs without results, failures first."""
    jobs_of: dict[tuple[str, str], list[Job]] = defaultdict(list)
    for job in study.jobs:
        if job.state != "completed":
            jobs_of[job.state, job.reason or "No reason was given."].append(job)
    listed = [Unfinished(state, reason, jobs, [name(job, study) for job in jobs]) for (state, reason), jobs in jobs_of.items()]
    return sorted(listed, key=lambda group: (STATES.index(group.state), group.reason))


def name(job: Job, study: Study) -> str:
    """Name a job by what it was given."""
    return " ".join(f"{key}={job.swept[key]}" for key in study.swept if key in job.swept) or job.folder.name
