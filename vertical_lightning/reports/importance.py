"""How much of a score's differences each swept key explains."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from statistics import fmean

from matplotlib.axes import Axes

from vertical_lightning.reports.job import Job
from vertical_lightning.reports.natural_sort import many_numbers, natural
from vertical_lightning.reports.study import REPEATED, Study
from vertical_lightning.reports.svg import BASELINE, PALETTE, grid, svg

MANY = 6
"""Numbers of a key; more, as a search draws, are taken together by their size."""

BINS = 4


def importances(study: Study, metric: str) -> dict[str, float]:
    """Return the share of a metric's variance between split jobs that each key explains by itself, the largest first.

    It is ε² (Kelley 1935): the variance between the values of a key, less what chance alone would give so many values. A key
    that matters only together with another shows little. Empty where jobs do not differ, or too few are there to tell.
    """
    jobs = [job for job in study.split if metric in job.metrics]
    keys = [key for key in study.swept if len({job.swept.get(key) for job in jobs}) > 1]
    shares = {key: explained(jobs, key, metric) for key in keys}
    told = {key: share for key, share in shares.items() if share is not None}
    return dict(sorted(told.items(), key=lambda entry: -entry[1]))


def explained(jobs: Sequence[Job], key: str, metric: str) -> float | None:
    """Return ε² of one key; None where it cannot be told."""
    mean = fmean(job.metrics[metric] for job in jobs)
    whole = sum((job.metrics[metric] - mean) ** 2 for job in jobs)
    groups = grouped(jobs, key, metric)
    spare = len(jobs) - len(groups)
    if spare < 1 or whole == 0:
        return None
    within = sum((value - fmean(group)) ** 2 for group in groups for value in group)
    return max(0.0, 1 - within / spare * (len(jobs) - 1) / whole)


def grouped(jobs: Sequence[Job], key: str, metric: str) -> list[list[float]]:
    """Put a metric's values together by a key's values; many numbers by size, in quarters of the jobs."""
    values = sorted({job.swept.get(key, "") for job in jobs}, key=natural)
    place: Mapping[str, int] = {value: number for number, value in enumerate(values)}
    if many_numbers(values, MANY):
        place = {value: number * BINS // len(values) for number, value in enumerate(values)}
    scores: dict[int, list[float]] = defaultdict(list)
    for job in jobs:
        scores[place[job.swept.get(key, "")]].append(job.metrics[metric])
    return list(scores.values())


def draw_importances(found: Mapping[str, float]) -> str:
    """Draw a bar a key, the most important on top; seeds and folds, which nobody chooses, are gray."""

    def draw(drawn: Axes) -> None:
        grid(drawn)
        colors = [BASELINE if key in REPEATED else PALETTE[0] for key in found]
        bars = drawn.barh(list(found), list(found.values()), color=colors, height=0.62)
        drawn.bar_label(bars, [f"{share:.0%}" for share in found.values()], padding=4, fontsize=9)
        drawn.set(xlim=(0, 1.08), xticks=[0, 0.25, 0.5, 0.75, 1])
        drawn.xaxis.set_major_formatter("{x:.0%}")
        drawn.grid(axis="y", visible=False)
        drawn.invert_yaxis()

    return svg(6.4, 0.8 + 0.38 * len(found), draw)
