"""How a metric is written, and which way it is better."""

from __future__ import annotations

import re
from dataclasses import dataclass

from vertical_lightning.reports.estimate import Estimate
from vertical_lightning.split.metric_direction import less_is_better


@dataclass(frozen=True)
class Measure:
    """A metric by its TensorBoard tag.

    >>> Measure("wire/bytes").title, Measure("wire/bytes").text(2_621_440), Measure("test/accuracy").text(0.95)
    ('wire/bytes, MB', '2.62', '0.9500')
    """

    metric: str

    @property
    def lower(self) -> bool:
        """Whether less is better."""
        return less_is_better(self.metric)

    @property
    def unit(self) -> str:
        """The unit that it is written in: megabytes (10⁶ bytes), seconds, or none."""
        if re.search(r"(^|[/_])bytes($|/)", self.metric):
            return "MB"
        return "s" if re.search(r"(^|[/_])seconds$", self.metric) else ""

    @property
    def title(self) -> str:
        """The metric, with its unit where its name does not say it."""
        return f"{self.metric}, MB" if self.unit == "MB" else self.metric

    @property
    def decimals(self) -> int:
        """Decimals that are written; those of `vl-train`."""
        return {"MB": 2, "s": 1}.get(self.unit, 4)

    def scaled(self, value: float) -> float:
        """Convert to the unit."""
        return value / 1e6 if self.unit == "MB" else value

    def text(self, value: float) -> str:
        """Write a value, without its unit."""
        return f"{self.scaled(value):,.{self.decimals}f}"

    def better(self, one: float, other: float) -> bool:
        """Whether one value is better than another."""
        return one < other if self.lower else one > other

    def interval(self, found: Estimate) -> str:
        """Write half the width of an interval; bytes and seconds go without, they are read for their size."""
        return "" if found.half is None or self.unit else f"± {self.text(found.half)}"
