"""Curves over epochs, read from TensorBoard's event files."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from vertical_lightning.study.group import Group
from vertical_lightning.study.measure import Measure
from vertical_lightning.study.svg import BASELINE, PALETTE, grid, svg

MOST = 12
"""Curves in one picture."""


@dataclass(frozen=True)
class Curve:
    """A group's curve: by epoch, counted from 1, the mean, smallest and largest value of its seeds."""

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
    found = [(group, [scalars(job.folder, wanted) for job in group.jobs]) for group in groups[:MOST]]
    metric = next((name for name in wanted if any(name in job for _, jobs in found for job in jobs)), "")
    curves = []
    for group, jobs in found:
        seeds = [pd.Series(job[metric], dtype=float) for job in jobs if metric in job]
        if seeds:
            table = pd.concat(seeds, axis="columns").sort_index()
            epochs = pd.DataFrame({"mean": table.mean(axis=1), "low": table.min(axis=1), "high": table.max(axis=1)})
            curves.append(Curve(group.label(keys), bool(group.baseline), epochs))
    return metric, curves


def scalars(folder: Path, names: Sequence[str]) -> dict[str, dict[int, float]]:
    """Read what a job logged once an epoch: metric → epoch → value."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    logging.getLogger("tensorboard").setLevel(logging.WARNING)  # it tells of each file that it opens
    few = {"images": 1, "tensors": 1, "histograms": 1, "compressedHistograms": 1, "audio": 1}
    events = EventAccumulator(str(folder), size_guidance={**few, "scalars": 0})  # 0: all
    events.Reload()
    known = set(events.Tags()["scalars"])
    epochs = {event.step: int(event.value) + 1 for event in events.Scalars("epoch")} if "epoch" in known else {}
    found = {}
    for name in names:
        if name in known:
            values = {event.step: event.value for event in events.Scalars(name)}  # of a step logged twice, the later
            found[name] = {epochs.get(step, place): values[step] for place, step in enumerate(sorted(values), 1)}
    return found


def draw_curves(curves: Sequence[Curve], measure: Measure) -> str:
    """Draw each curve with the range over its seeds, the legend in the order of rank."""

    def draw(drawn: Axes) -> None:
        grid(drawn)
        for place, (curve, (color, line)) in enumerate(zip(curves, styles(curves), strict=True)):
            means, x = curve.epochs["mean"], curve.epochs.index
            drawn.fill_between(x, curve.epochs["low"], curve.epochs["high"], color=color, alpha=0.15, linewidth=0)
            dot, height = "o" if len(x) == 1 else "", 3 - place / len(curves)  # the best lies on top
            drawn.plot(x, means, color=color, linestyle=line, marker=dot, label=curve.label, zorder=height)
        drawn.set(xlabel="epoch", ylabel=measure.title)
        drawn.xaxis.set_major_locator(MaxNLocator(integer=True))
        drawn.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False, fontsize=9)

    return svg(8.4, 4.2, draw)


def styles(curves: Sequence[Curve]) -> list[tuple[str, str]]:
    """Give each curve a color and a line: solid ones first, then dashed; baselines are gray."""
    colored = [(color, line) for line in ("-", "--") for color in PALETTE]
    gray = [(BASELINE, line) for line in (":", "-.", "--", "-")] * MOST
    return [gray.pop(0) if curve.baseline else colored.pop(0) for curve in curves]
