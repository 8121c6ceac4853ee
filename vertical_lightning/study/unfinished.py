"""Jobs without results, those of one reason together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from vertical_lightning.study.job import STATES
from vertical_lightning.study.study import Study


@dataclass(frozen=True)
class Unfinished:
    """What befell some jobs.

    Attributes:
        state: failed, skipped or interrupted.
        reason: Why.
        jobs: Each by what it was given.
    """

    state: str
    reason: str
    jobs: Sequence[str]


def unfinished(study: Study) -> list[Unfinished]:
    """List the jobs without results, failures first."""
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for job in study.jobs:
        if job.state != "completed":
            told = " ".join(f"{key}={job.swept[key]}" for key in study.swept if key in job.swept)
            found[job.state, job.reason or "No reason was given."].append(told or job.folder.name)
    listed = [Unfinished(state, reason, jobs) for (state, reason), jobs in found.items()]
    return sorted(listed, key=lambda one: (STATES.index(one.state), one.reason))
