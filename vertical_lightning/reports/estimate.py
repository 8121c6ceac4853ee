"""What seeds say about a metric: their mean, and how far it may be off."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from scipy.special import stdtrit

LEVEL = 0.95


@dataclass(frozen=True)
class Estimate:
    """A mean with its confidence interval.

    >>> estimate([0.7, 0.8, 0.9])
    Estimate(mean=0.8, half=0.248, n=3)

    Attributes:
        mean: Of the values.
        half: Half the width of the 95 % interval; None where one value says nothing about its spread.
        n: How many values.
        low: The smallest.
        high: The largest.
    """

    mean: float
    half: float | None
    n: int
    low: float
    high: float

    def __repr__(self) -> str:
        half = None if self.half is None else round(self.half, 3)
        return f"Estimate(mean={round(self.mean, 6)}, half={half}, n={self.n})"


def estimate(values: Sequence[float]) -> Estimate | None:
    """Estimate the mean of normally distributed values by Student's t (1908); None where there are none."""
    if not values:
        return None
    n = len(values)
    half = float(stdtrit(n - 1, (1 + LEVEL) / 2)) * stdev(values) / math.sqrt(n) if n > 1 else None
    return Estimate(fmean(values), half, n, min(values), max(values))
