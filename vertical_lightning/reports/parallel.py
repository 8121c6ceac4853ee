"""Parallel coordinates: every job as a line through what it was given, and what came of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.colors import Normalize

from vertical_lightning.reports.heat_map import SHADES
from vertical_lightning.reports.job import Job
from vertical_lightning.reports.measure import Measure
from vertical_lightning.reports.natural_sort import many_numbers, natural
from vertical_lightning.reports.study import Study
from vertical_lightning.reports.svg import INK, PAPER, svg

MANY = 8
"""Values of an axis that each have a place of their own; more numbers than these lie by size."""


ASIDE = 0.05
"""Height that all jobs of one value share."""

PALE = 0.3
"""Of the shades' range: lighter ones would not be seen as a line."""


@dataclass(frozen=True)
class Scale:
    """An axis of the picture.

    Attributes:
        title: The key or the metric.
        places: Where each job crosses it, from 0 to 1.
        ticks: (place, text).
    """

    title: str
    places: Sequence[float]
    ticks: Sequence[tuple[float, str]]


def lines(study: Study, score: Measure, costs: Sequence[Measure]) -> tuple[list[Job], list[Scale]]:
    """Return split jobs, the best last, and the axes that they cross; nothing where fewer than two keys were swept.

    Args:
        study: Whose jobs.
        score: The last axis, and what the lines' shades tell.
        costs: Metrics that stand before it, where all jobs have them.
    """
    jobs = [job for job in study.split if score.metric in job.metrics and all(key in job.swept for key in study.varied)]
    jobs.sort(key=lambda job: -job.metrics[score.metric] if score.lower else job.metrics[score.metric])
    keys = [key for key in study.varied if len({job.swept[key] for job in jobs}) > 1]
    if len(keys) < 2:
        return [], []
    shown = [cost for cost in costs if all(cost.metric in job.metrics for job in jobs) and cost.metric != score.metric]
    return jobs, [*(chosen(key, jobs) for key in keys), *(measured(measure, jobs) for measure in [*shown, score])]


def chosen(key: str, jobs: Sequence[Job]) -> Scale:
    """Lay out what jobs were given: value by value, jobs of one value side by side; or many numbers by size."""
    values = sorted({job.swept[key] for job in jobs}, key=natural)
    if many_numbers(values, MANY):
        return by_size(key, [float(job.swept[key]) for job in jobs], [f"{float(value):g}" for value in (values[0], values[-1])])
    place = {value: number / (len(values) - 1) for number, value in enumerate(values)}
    aside = [ASIDE * (number / len(jobs) - 0.5) for number in range(len(jobs))]
    places = [place[job.swept[key]] + less for job, less in zip(jobs, aside, strict=True)]
    return Scale(key, places, [(place[value], value) for value in values])


def measured(measure: Measure, jobs: Sequence[Job]) -> Scale:
    """Lay out what came of jobs, by size."""
    scores = [job.metrics[measure.metric] for job in jobs]
    return by_size(measure.title, scores, [measure.text(value) for value in (min(scores), max(scores))])


def by_size(title: str, values: Sequence[float], ends: Sequence[str]) -> Scale:
    """Lay numbers out between the smallest and the largest, in powers of ten where they span a hundred or more."""
    spread = values if min(values) <= 0 or max(values) / min(values) < 100 else [math.log(value) for value in values]
    low, high = min(spread), max(spread)
    width = (high - low) or 1.0
    return Scale(title, [(value - low) / width for value in spread], list(zip((0.0, 1.0), ends, strict=True)))


def draw_parallel(jobs: Sequence[Job], scales: Sequence[Scale], score: Measure) -> str:
    """Draw the jobs' lines, the better the darker."""
    scores = [job.metrics[score.metric] for job in jobs]
    behind = {"facecolor": PAPER, "alpha": 0.75, "linewidth": 0, "pad": 1}
    norm = Normalize(min(scores), max(scores))

    def draw(drawn: Axes) -> None:
        for number, value in enumerate(scores):
            good = 1 - norm(value) if score.lower else norm(value)
            shade = SHADES(PALE + (1 - PALE) * good)
            drawn.plot(range(len(scales)), [scale.places[number] for scale in scales], color=shade, alpha=0.8, linewidth=1.3)
        for x, scale in enumerate(scales):
            drawn.axvline(x, color=INK, alpha=0.4, linewidth=1)
            for height, text in scale.ticks:
                drawn.annotate(text, (x, height), (5, 0), textcoords="offset points", va="center", fontsize=9, bbox=behind)
        drawn.set(xlim=(-0.05, len(scales) - 0.6), ylim=(-0.06, 1.06), yticks=[])
        drawn.set_xticks(range(len(scales)), [scale.title for scale in scales])
        drawn.xaxis.tick_top()
        drawn.tick_params(length=0)
        drawn.spines[:].set_visible(False)

    return svg(1.9 * len(scales) + 0.6, 3.6, draw)
