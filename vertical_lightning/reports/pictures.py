"""The report's pictures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from vertical_lightning.reports.curves import MOST, draw_curves, read_curves
from vertical_lightning.reports.group import Group, best_alone
from vertical_lightning.reports.heat_map import chance, draw_heat_map, means, sides
from vertical_lightning.reports.importance import draw_importances, importances
from vertical_lightning.reports.job import LEAKAGE
from vertical_lightning.reports.measure import Measure
from vertical_lightning.reports.parallel import draw_parallel, lines
from vertical_lightning.reports.study import REPEATED, Study
from vertical_lightning.reports.table import Table
from vertical_lightning.reports.trade_off import draw_trade_off, points


@dataclass(frozen=True)
class Picture:
    """A picture as an SVG element, with what it shows; a broad one has the width of the page."""

    title: str
    caption: str
    svg: str
    broad: bool = False


def pictures(study: Study, table: Table) -> list[Picture]:
    """Draw all that the study's jobs have something to say about."""
    score, groups = Measure(study.objectives[0]), [row.group for row in table.rows]
    return [
        *heat_map(study, score),
        *importance(study, score),
        *trade_offs(study, groups, score),
        *parallel(study, score),
        *curves(study, groups, score),
    ]


def heat_map(study: Study, score: Measure) -> Iterator[Picture]:
    """Draw the first objective over two swept keys."""
    if chosen := sides(study):
        rows, columns = chosen
        rest = ", ".join(key for key in study.swept if key not in chosen and (key in REPEATED or key in study.varied))
        scores = means(study, rows, columns, score.metric)
        if not scores.empty:
            within = ", one shade for all within the best cell's interval"
            caption = f"{score.title}{f', mean over {rest}' if rest else ''}; the darker the better{within}."
            yield Picture(f"{rows} × {columns}", caption, draw_heat_map(scores, score, chance(study, scores, score)))


def importance(study: Study, score: Measure) -> Iterator[Picture]:
    """Draw how much each swept key matters, if there are several."""
    shares = importances(study, score.metric)
    if len(shares) > 1:
        caption = (
            f"Share of the variance of {score.metric} that a key explains by itself, less what chance would (ε²); gray, what "
            "repeats a job. What is left is chance, and keys that matter together."
        )
        yield Picture("What matters", caption, draw_importances(shares))


def parallel(study: Study, score: Measure) -> Iterator[Picture]:
    """Draw every job as a line through what was swept, bytes and leakage to the score."""
    jobs, scales = lines(study, score, [Measure("wire/bytes"), Measure(LEAKAGE)])
    if jobs:
        caption = f"A line a job, the darker the better its {score.metric}."
        yield Picture("Parallel coordinates", caption, draw_parallel(jobs, scales, score), broad=True)


def trade_offs(study: Study, groups: list[Group], score: Measure) -> Iterator[Picture]:
    """Draw the score against bytes, and against leakage where it was measured."""
    shown = [next((group for group in groups if group.baseline == "centralized"), None), best_alone(groups)]
    named = [(group.baseline, group.estimate(score.metric)) for group in shown if group]
    baselines = {name: estimated.mean for name, estimated in named if estimated}
    leaking = " Leakage is the largest of any party: distance correlation of its input and embedding."
    for cost, title, what in ((Measure("wire/bytes"), "bytes on the wire", ""), (Measure(LEAKAGE), "leakage", leaking)):
        drawn = points(groups, study.varied, cost.metric, score.metric)
        if drawn and cost.metric != score.metric:
            lines = "; dashed, the best baselines" if baselines else ""
            caption = f"Means over seeds, bars are the table's intervals; joined, what nothing beats in both{lines}.{what}"
            yield Picture(f"{score.metric} against {title}", caption, draw_trade_off(drawn, baselines, cost, score))


def curves(study: Study, groups: list[Group], score: Measure) -> Iterator[Picture]:
    """Draw the best groups' curves."""
    metric, curves = read_curves(groups, study.varied, score.metric)
    if curves:
        many = f", the best {MOST} of {len(groups)} rows" if len(groups) > MOST else ""
        caption = f"Mean over seeds{many}; bands are the table's intervals."
        yield Picture(f"{metric} by epoch", caption, draw_curves(curves, Measure(metric)), broad=True)
