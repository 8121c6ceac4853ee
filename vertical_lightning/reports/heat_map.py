"""The heat map of two swept keys, such as architecture × cut."""

from __future__ import annotations

import math

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, Normalize

from vertical_lightning.reports.estimate import estimate
from vertical_lightning.reports.measure import Measure
from vertical_lightning.reports.natural_sort import natural
from vertical_lightning.reports.study import REPEATED, Study
from vertical_lightning.reports.svg import INK, svg

FIRST = ["architecture", "cut"]

SHADES = LinearSegmentedColormap.from_list("shades", ["#e8f0f8", "#7fb0da", "#2f7fc1", "#123f6b"])
DARK, LIGHT = "#10243a", "#ffffff"


def sides(study: Study) -> list[str]:
    """Choose rows and columns: architecture and cut, or else the first two keys of several values; [] if there are fewer."""
    values = {key: {job.swept[key] for job in study.split if key in job.swept} for key in study.swept if key not in REPEATED}
    several = [key for key, different in values.items() if len(different) > 1]
    return FIRST if set(FIRST) <= set(several) else several[:2] if len(several) > 1 else []


def means(study: Study, rows: str, columns: str, metric: str) -> pd.DataFrame:
    """Average a metric over all else; baselines, and jobs without one of the two keys, are left out."""
    lines = [
        {rows: job.swept[rows], columns: job.swept[columns], metric: job.metrics[metric]}
        for job in study.split
        if rows in job.swept and columns in job.swept and metric in job.metrics
    ]
    if not lines:
        return pd.DataFrame()
    table = pd.DataFrame(lines).pivot_table(index=rows, columns=columns, values=metric, aggfunc="mean")
    return table.loc[sorted(table.index, key=natural), sorted(table.columns, key=natural)]


def chance(study: Study, table: pd.DataFrame, measure: Measure) -> float:
    """Return half the interval of the best cell; 0 where a single job says nothing of chance."""
    cells = {(row, column): value for row, line in table.iterrows() for column, value in line.items() if not math.isnan(value)}
    best = (min if measure.lower else max)(cells, key=cells.__getitem__)
    rows, columns = str(table.index.name), str(table.columns.name)
    jobs = [job for job in study.split if (job.swept.get(rows), job.swept.get(columns)) == best]
    estimated = estimate([job.metrics[measure.metric] for job in jobs if measure.metric in job.metrics])
    return (estimated.half or 0.0) if estimated else 0.0


def draw_heat_map(table: pd.DataFrame, measure: Measure, half: float = 0.0) -> str:
    """Draw a table of means, the better the darker; each cell has its number, or a dash where nothing completed.

    Args:
        table: Means by row and column.
        measure: What they are of.
        half: Of the best cell's interval: all cells within have its shade.
    """
    tall, wide = table.shape
    best = float(table.min().min() if measure.lower else table.max().max())
    norm = Normalize(float(table.min().min()), float(table.max().max()))
    shades = SHADES.reversed() if measure.lower else SHADES
    shaded = table.where((table - best).abs() > half, best).where(table.notna())

    def draw(drawn: Axes) -> None:
        drawn.pcolormesh(shaded.to_numpy(float), cmap=shades, norm=norm, edgecolors="none")
        colors = shaded.to_numpy(float)
        for y, line in enumerate(table.to_numpy(float)):
            for x, value in enumerate(line):
                written = "–" if math.isnan(value) else measure.text(value)
                drawn.text(x + 0.5, y + 0.5, written, ha="center", va="center", color=ink(shades(norm(colors[y, x])), value))
        drawn.set_xticks([x + 0.5 for x in range(wide)], list(table.columns))
        drawn.set_yticks([y + 0.5 for y in range(tall)], list(table.index))
        drawn.set(xlabel=str(table.columns.name), ylabel=str(table.index.name))
        drawn.invert_yaxis()
        drawn.tick_params(length=0)
        drawn.spines[:].set_visible(False)

    return svg(1.2 + 0.85 * wide, 0.6 + 0.5 * tall, draw)


def ink(shade: tuple[float, float, float, float], value: float) -> str:
    """Return a color that can be read on a shade; an empty cell has the page's."""
    red, green, blue, _ = shade
    return INK if math.isnan(value) else DARK if 0.3 * red + 0.6 * green + 0.1 * blue > 0.55 else LIGHT
