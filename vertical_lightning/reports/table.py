"""The ranked table, as text for every form that the report takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vertical_lightning.reports.group import Group, best_alone, rank
from vertical_lightning.reports.job import LEAKAGE
from vertical_lightning.reports.measure import Measure
from vertical_lightning.reports.standing import Standing, standing
from vertical_lightning.reports.study import Study


@dataclass(frozen=True)
class Number:
    """A mean with its interval, as text; both empty where nothing is known."""

    mean: str
    interval: str

    def __str__(self) -> str:
        return f"{self.mean} {self.interval}".strip() or "–"


@dataclass(frozen=True)
class Row:
    """One group: what it is, what it was given, how many jobs it has, and what they found."""

    group: Group
    kind: str
    mark: str
    values: Sequence[str]
    n: int
    numbers: Sequence[Number]
    leads: bool = False
    """Whether it cannot be told from the best of its kind."""


@dataclass(frozen=True)
class Table:
    """Groups, best first.

    Attributes:
        keys: The swept keys that have columns.
        measures: The metrics that have columns, the objectives first.
        rows: The groups.
        standing: Which of them to take, among those in which parties exchanged something; of all where there is none.
    """

    keys: Sequence[str]
    measures: Sequence[Measure]
    rows: Sequence[Row]
    standing: Standing | None

    @property
    def has_baselines(self) -> bool:
        """Whether some groups are baselines, so that each must say what it is."""
        return any(row.mark for row in self.rows)


def tabulated(study: Study) -> Table:
    """Rank a study's groups and write their numbers."""
    ranked, measures = rank(study), measured(study)
    alone = best_alone(ranked)
    best = standing(of_a_split, study.objectives[0]) if (of_a_split := splits(ranked)) else None
    leading = [best.chosen, *best.alike] if best else []
    rows = [
        Row(
            group=group,
            kind=group.baseline or "split",
            mark=("baseline, best single party" if group is alone else "baseline") if group.baseline else "",
            values=[group.swept.get(key, "–") for key in study.varied],
            n=len(group.jobs),
            numbers=[number(group, measure) for measure in measures],
            leads=any(group is leader for leader in leading),
        )
        for group in ranked
    ]
    return Table(study.varied, measures, rows, best)


def splits(ranked: Sequence[Group]) -> list[Group]:
    """Return the groups in which parties exchanged something; all where there is none."""
    return [group for group in ranked if not group.baseline] or list(ranked)


def measured(study: Study) -> list[Measure]:
    """Choose the columns: the objectives with what they are on test rows, all else of the first one's phase, and the costs."""
    known = {name for job in study.completed for name in job.metrics}
    phase = study.objectives[0].split("/")[0] + "/"
    same = sorted(name for name in known if name.startswith(phase) and not name.endswith("_step"))
    scores = same if phase in ("test/", "val/", "train/") else []
    tested = [f"test/{name.removeprefix('val/')}" for name in study.objectives if name.startswith("val/")]
    asked = [name for sweep in study.sweeps for name in sweep.shown]
    wanted = dict.fromkeys([*study.objectives, *tested, *asked, *scores, LEAKAGE, "wire/bytes", "time/fit_seconds"])
    return [Measure(name) for name in wanted if name in known]


def number(group: Group, measure: Measure) -> Number:
    """Write a group's mean; where some of its jobs lack the metric, say how many have it."""
    estimated = group.estimate(measure.metric)
    if estimated is None:
        return Number("", "")
    few = f"({estimated.n} of {len(group.jobs)})" if estimated.n < len(group.jobs) and not measure.unit else ""
    return Number(measure.text(estimated.mean), f"{measure.interval(estimated)} {few}".strip())
