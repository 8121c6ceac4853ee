"""The picture of what a score costs: in bytes on the wire, or in leakage."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.ticker import NullFormatter, StrMethodFormatter

from vertical_lightning.reports.estimate import Estimate
from vertical_lightning.reports.group import Group
from vertical_lightning.reports.measure import Measure
from vertical_lightning.reports.svg import BASELINE, INK, PALETTE, grid, svg


@dataclass(frozen=True)
class Point:
    """A group: what it costs, and its score over seeds."""

    label: str
    cost: float
    score: Estimate


def points(groups: Sequence[Group], keys: Sequence[str], cost: str, score: str) -> list[Point]:
    """Return the groups that have both; a baseline, in which nothing crossed, is no point."""
    priced = [(group, group.estimate(cost), group.estimate(score)) for group in groups if not group.baseline]
    return [Point(group.label(keys), paid.mean, got) for group, paid, got in priced if paid and got]


def undominated(points: Sequence[Point], measure: Measure) -> list[Point]:
    """Return the Pareto front, the cheapest first: no other point costs no more and scores better."""
    front: list[Point] = []
    for point in sorted(
        points, key=lambda candidate: (candidate.cost, candidate.score.mean if measure.lower else -candidate.score.mean)
    ):
        if not front or measure.better(point.score.mean, front[-1].score.mean):
            front.append(point)
    return front


def draw_trade_off(points: Sequence[Point], baselines: Mapping[str, float], cost: Measure, score: Measure) -> str:
    """Draw the points with their intervals, join and name the front, and rule a line at each baseline."""
    front = undominated(points, score)
    named = [(point.label, cost.scaled(point.cost), score.scaled(point.score.mean)) for point in front]

    def draw(drawn: Axes) -> None:
        grid(drawn)
        for point in points:
            color, size = (PALETTE[0], 6) if point in front else (BASELINE, 4)
            half = point.score.half or 0.0
            x, low, high = cost.scaled(point.cost), *(score.scaled(point.score.mean + sign * half) for sign in (-1, 1))
            drawn.plot([x, x], [low, high], color=color, alpha=0.45, linewidth=1.4)
            drawn.plot(x, score.scaled(point.score.mean), "o", color=color, markersize=size)
        drawn.plot([x for _, x, _ in named], [y for _, _, y in named], color=PALETTE[0], linewidth=1.2)
        rule(drawn, {name: score.scaled(value) for name, value in baselines.items()})
        span(drawn, [cost.scaled(point.cost) for point in points], max(len(label) for label, _, _ in named))
        drawn.set(xlabel=cost.title, ylabel=score.title)
        name_points(drawn, named, up=-1 if score.lower else 1)

    return svg(6.4, 4.0, draw)


def name_points(drawn: Axes, front: Sequence[tuple[str, float, float]], up: int) -> None:
    """Name the points of the front on the side where no point can be, one name above the other where they would collide."""
    drawn.autoscale_view()  # matplotlib would choose the limits only when it draws, and heights are asked for now
    last = -math.inf
    for label, x, y in front:
        height = up * drawn.transData.transform((x, y))[1] * 72 / drawn.figure.dpi
        last = max(height + 5, last + 12)
        place = (-4, up * (last - height))
        drawn.annotate(
            label, (x, y), place, textcoords="offset points", ha="right", va="bottom" if up > 0 else "top", fontsize=9
        )


def rule(drawn: Axes, baselines: Mapping[str, float]) -> None:
    """Draw a horizontal line at each baseline, named at its end."""
    for place, (name, value) in enumerate(sorted(baselines.items(), key=lambda item: item[1])):
        drawn.axhline(value, color=INK, alpha=0.55, linewidth=1, linestyle=(0, (4, 3)))
        side = "center" if len(baselines) == 1 else ("top", "bottom")[place]  # two lines may be close
        drawn.annotate(f" {name}", (1, value), xycoords=drawn.get_yaxis_transform(), va=side, fontsize=9)


def span(drawn: Axes, costs: Sequence[float], letters: int) -> None:
    """Let the costs have room, on the left for a name; they are laid out by powers where they span more than ten."""
    low, high = min(costs), max(costs)
    share = min(letters / 65, 0.6)  # of the picture's width; 65 letters would fill it
    left, right = 1.06 * share / (1 - share), 0.06
    if low > 0 and high / low > 10:
        drawn.set_xscale("log")
        drawn.set_xlim(low / (high / low) ** left, high * (high / low) ** right)
        drawn.xaxis.set_major_formatter(StrMethodFormatter("{x:,.10g}"))
        drawn.xaxis.set_minor_formatter(NullFormatter())
    else:
        room = high - low or abs(high) or 1
        begin, end = low - left * room, high + right * room
        ticks = drawn.xaxis.get_major_locator().tick_values(begin, end)
        drawn.set_xticks([tick for tick in ticks if tick >= 0])  # no cost is below 0, only the room for a name
        drawn.set_xlim(begin, end)
