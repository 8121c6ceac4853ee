"""Curves over epochs, read from TensorBoard's event files."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from vertical_lightning.reports.estimate import estimate
from vertical_lightning.reports.group import Group
from vertical_lightning.reports.measure import Measure
from vertical_lightning.reports.svg import BASELINE, PALETTE, grid, svg

MOST = 12
"""Curves in one picture."""

DASH = 4.0
"""Length of a dash in widths of its line, where curves coincide."""

CLOSE = 0.004
"""Of the picture's height: about the width of a line. Curves that are closer in all epochs coincide."""


@dataclass(frozen=True)
class Curve:
    """A group's curve: by epoch, counted from 1, the mean over its seeds and half the width of its interval."""

    label: str
    baseline: bool
    epochs: pd.DataFrame


def candidates(objective: str) -> list[str]:
    """Return the metrics to draw, in the order of preference.

    >>> candidates("test/auroc")
    ['val/auroc', 'train/auroc', 'val/accuracy', 'train/accuracy', 'val/rmse', 'train/rmse', 'val/loss', 'train/loss']
    """
    phase, _, name = objective.partition("/")
    names = dict.fromkeys([*([name] if phase in ("test", "val", "train") else []), "accuracy", "rmse", "loss"])
    return [f"{phase}/{name}" for name in names for phase in ("val", "train")]


def read_curves(groups: Sequence[Group], keys: Sequence[str], objective: str) -> tuple[str, list[Curve]]:
    """Read the curves of the best groups, of the first metric that any job has; ("", []) where none has one."""
    wanted = candidates(objective)
    read = [(group, [scalars(job.folder, wanted) for job in group.jobs]) for group in groups[:MOST]]
    metric = next((name for name in wanted if any(name in job for _, jobs in read for job in jobs)), "")
    curves = []
    for group, jobs in read:
        seeds = [pd.Series(job[metric], dtype=float) for job in jobs if metric in job]
        if seeds:
            table = pd.concat(seeds, axis="columns").sort_index()
            curves.append(Curve(group.label(keys), bool(group.baseline), table.apply(over_seeds, axis="columns")))
    return metric, curves


def over_seeds(values: pd.Series[float]) -> pd.Series[float]:
    """Estimate an epoch's value from the seeds that have it."""
    estimated = estimate(values.dropna().tolist())
    assert estimated is not None  # an epoch is there because some seed has it
    return pd.Series({"mean": estimated.mean, "half": estimated.half or 0.0})


def scalars(folder: Path, names: Sequence[str]) -> dict[str, dict[int, float]]:
    """Read what a job logged once an epoch: metric → epoch → value."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    logging.getLogger("tensorboard").setLevel(logging.WARNING)  # it tells of each file that it opens
    few = {"images": 1, "tensors": 1, "histograms": 1, "compressedHistograms": 1, "audio": 1}
    events = EventAccumulator(str(folder), size_guidance={**few, "scalars": 0})  # 0: all
    events.Reload()
    known = set(events.Tags()["scalars"])
    epochs = {event.step: int(event.value) + 1 for event in events.Scalars("epoch")} if "epoch" in known else {}
    points = {}
    for name in names:
        if name in known:
            values = {event.step: event.value for event in events.Scalars(name)}  # of a step logged twice, the later
            points[name] = {epochs.get(step, place): values[step] for place, step in enumerate(sorted(values), 1)}
    return points


def draw_curves(curves: Sequence[Curve], measure: Measure) -> str:
    """Draw each curve with its interval, the legend in the order of rank; the colors of curves that coincide alternate."""

    def draw(drawn: Axes) -> None:
        grid(drawn)
        for place, (curve, (color, line), (number, many)) in enumerate(
            zip(curves, styles(curves), bundles(curves), strict=True)
        ):
            means, half, x = curve.epochs["mean"], curve.epochs["half"], curve.epochs.index
            drawn.fill_between(x, means - half, means + half, color=color, alpha=0.15 / many, linewidth=0)
            dot, height = "o" if len(x) == 1 else "", 3 - place / len(curves)  # the best lies on top
            dashes = (number * DASH, (DASH, (many - 1) * DASH)) if many > 1 else line
            drawn.plot(x, means, color=color, linestyle=dashes, marker=dot, label=curve.label, zorder=height)
        drawn.set(xlabel="epoch", ylabel=measure.title)
        drawn.xaxis.set_major_locator(MaxNLocator(integer=True))
        legend = drawn.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False, fontsize=9)
        for shown, (_, line) in zip(legend.get_lines(), styles(curves), strict=True):
            shown.set(linestyle=line)

    return svg(8.4, 4.2, draw)


def bundles(curves: Sequence[Curve]) -> list[tuple[int, int]]:
    """Find the curves that would hide one another; say of each which it is in its bundle, and how many are in it."""
    spread = max(float(curve.epochs["mean"].max()) for curve in curves) - min(
        float(curve.epochs["mean"].min()) for curve in curves
    )
    first: list[int] = []
    for curve in curves:
        alike = (place for place, other in enumerate(curves) if coincide(curve, other, CLOSE * spread))
        first.append(next(alike))
    return [(first[:place].count(group), first.count(group)) for place, group in enumerate(first)]


def coincide(one: Curve, other: Curve, close: float) -> bool:
    """Whether two curves lie one upon the other, within `close`."""
    same = one.epochs.index.equals(other.epochs.index)
    return same and bool((one.epochs["mean"] - other.epochs["mean"]).abs().max() <= close)


def styles(curves: Sequence[Curve]) -> list[tuple[str, str]]:
    """Give each curve a color and a line: solid ones first, then dashed; baselines are gray."""
    colored = [(color, line) for line in ("-", "--") for color in PALETTE]
    gray = [(BASELINE, line) for line in (":", "-.", "--", "-")] * MOST
    return [gray.pop(0) if curve.baseline else colored.pop(0) for curve in curves]
