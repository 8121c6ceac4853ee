"""Jobs that differ in their seed or fold only, and their rank."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vertical_lightning.reports.estimate import Estimate, estimate
from vertical_lightning.reports.job import Job
from vertical_lightning.reports.measure import Measure
from vertical_lightning.reports.natural_sort import natural
from vertical_lightning.reports.study import REPEATED, Study


@dataclass(frozen=True)
class Group:
    """One line of the report's table.

    Attributes:
        baseline: "centralized", "<party> alone", or "" where parties exchanged something.
        swept: What its jobs were given, without seed and fold.
        jobs: Its jobs, all completed.
    """

    baseline: str
    swept: Mapping[str, str]
    jobs: Sequence[Job]

    def estimate(self, metric: str) -> Estimate | None:
        """Estimate a metric from the jobs that have it."""
        return estimate([job.metrics[metric] for job in self.jobs if metric in job.metrics])

    def label(self, keys: Sequence[str]) -> str:
        """Name it by some keys' values; a word speaks for itself, a number needs its key.

        >>> Group("", {"architecture": "lenet", "cut": "2"}, []).label(["architecture", "cut"])
        'lenet, cut=2'
        """
        told = [brief(key, self.swept[key]) for key in keys if key in self.swept]
        return ", ".join([self.baseline, *told] if self.baseline else told) or "all seeds"


def brief(key: str, value: str) -> str:
    """Write a swept value in few words."""
    speaks = value[:1].isalpha() and value not in ("true", "false", "null")
    return value if speaks else f"{key.rsplit('.', 1)[-1]}={value}"


def rank(study: Study) -> list[Group]:
    """Group a study's completed jobs over seeds, the best mean of the first objective first."""
    jobs_of: dict[tuple[str, tuple[tuple[str, str], ...]], list[Job]] = defaultdict(list)
    keys = [key for key in study.swept if key not in REPEATED]
    for job in study.completed:
        jobs_of[job.baseline, tuple((key, job.swept[key]) for key in keys if key in job.swept)].append(job)
    groups = [Group(baseline, dict(swept), jobs) for (baseline, swept), jobs in jobs_of.items()]
    sign = 1 if Measure(study.objectives[0]).lower else -1

    def place(group: Group) -> tuple[object, ...]:
        mean = group.estimate(study.objectives[0])
        tie = [natural(group.swept.get(key, "")) for key in study.swept]
        return mean is None, sign * mean.mean if mean else 0.0, tie, group.baseline

    return sorted(groups, key=place)


def best_alone(ranked: Sequence[Group]) -> Group | None:
    """Return the best single party's group."""
    return next((group for group in ranked if group.baseline.endswith(" alone")), None)
