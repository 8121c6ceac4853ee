"""Which groups can be told apart by a metric, and which of those that cannot is the one to take."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from vertical_lightning.reports.estimate import Estimate, estimate
from vertical_lightning.reports.group import Group
from vertical_lightning.reports.job import LEAKAGE
from vertical_lightning.reports.study import REPEATED

COSTS = {"wire/bytes": "sends the fewest bytes", LEAKAGE: "leaks least"}
"""What decides between groups of one score, in this order."""


@dataclass(frozen=True)
class Standing:
    """What a ranking says.

    Attributes:
        chosen: The group to take.
        alike: The others that cannot be told from the best, in their order.
        reason: Why this one of them; empty where it is the best.
    """

    chosen: Group
    alike: Sequence[Group]
    reason: str


def standing(ranked: Sequence[Group], metric: str) -> Standing:
    """Choose among the groups that cannot be told from the best: by bytes, then by leakage, then by rank.

    Args:
        ranked: Groups of one kind, the best first; at least one.
        metric: What they are ranked by.
    """
    best = ranked[0]
    leading = [best, *(group for group in ranked[1:] if not told_apart(best, group, metric))]
    left, reasons = leading, []
    for cost, words in COSTS.items():
        paid = {id(group): found.mean for group in left if (found := group.estimate(cost)) is not None}
        if len(paid) < len(left):
            continue
        least = min(paid.values())
        left = [group for group in left if math.isclose(paid[id(group)], least, rel_tol=1e-9)]
        reasons += [words] if len(left) < len(paid) else []
    return Standing(left[0], [group for group in leading if group is not left[0]], " and then ".join(reasons))


def told_apart(one: Group, other: Group, metric: str) -> bool:
    """Whether two groups differ by more than chance, at 95 %.

    Where they share seeds or folds, their differences decide (Student's paired t-test); else whether their intervals overlap.
    Single jobs say nothing of chance: they differ where their numbers do.
    """
    pairs = paired(one, other, metric)
    difference = estimate([mine - theirs for mine, theirs in pairs])
    if difference is not None and difference.half is not None:
        return abs(difference.mean) > difference.half
    ours, theirs = one.estimate(metric), other.estimate(metric)
    if ours is None or theirs is None:
        return True
    return abs(ours.mean - theirs.mean) > half(ours) + half(theirs)


def half(found: Estimate) -> float:
    """Return half an interval's width; 0 for a single value."""
    return found.half or 0.0


def paired(one: Group, other: Group, metric: str) -> list[tuple[float, float]]:
    """Return the values of jobs with the same seed and fold."""
    values = [
        {tuple(job.swept.get(key) for key in REPEATED): job.metrics[metric] for job in group.jobs if metric in job.metrics}
        for group in (one, other)
    ]
    return [(values[0][key], values[1][key]) for key in values[0] if key in values[1]]
