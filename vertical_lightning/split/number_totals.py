"""Errors of predicted numbers over many rows, in the labels' own units, summed on the device and read once."""

from __future__ import annotations

import math
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

SUMS = ("loss", "absolute", "squared", "center", "scatter")
"""What is kept of the rows, beside how many there are."""


class NumberTotals:
    """Sums over batches, as `Totals` has them for classes: exact over rows, without a synchronization per batch.

    All sums are in double precision. The labels' scatter about their mean is merged batch by batch (Chan et al. 1983,
    "Algorithms for computing the sample variance"): labels that are large beside their spread, such as years, lose nothing.

    Args:
        mean: Of the training labels.
        spread: Of the training labels; a prediction is `mean + spread * logit`.

    >>> totals = NumberTotals(mean=10.0, spread=2.0)
    >>> totals.update(torch.tensor(0.5), torch.tensor([[0.0], [1.0]]), torch.tensor([10.0, 14.0]))
    >>> {name: round(value, 3) for name, value in totals.compute().items()}
    {'loss': 0.5, 'rmse': 1.414, 'mae': 1.0, 'r2': 0.5}
    """

    def __init__(self, mean: float, spread: float) -> None:
        self.mean, self.spread = mean, spread
        self.rows = 0
        self.loss: Tensor | float = 0.0
        self.absolute: Tensor | float = 0.0
        self.squared: Tensor | float = 0.0
        self.center: Tensor | float = 0.0
        self.scatter: Tensor | float = 0.0

    @torch.no_grad()
    def update(self, loss: Float[Tensor, ""], logits: Float[Tensor, "batch 1"], labels: Float[Tensor, " batch"]) -> None:
        """Add one batch; `loss` is the mean over its rows."""
        true = labels.double()
        errors = self.mean + self.spread * logits.squeeze(1).double() - true
        batch = NumberTotals(self.mean, self.spread)
        batch.rows = len(labels)
        batch.loss = loss.double() * len(labels)
        batch.absolute, batch.squared = errors.abs().sum(), errors.square().sum()
        batch.center = true.mean()
        batch.scatter = (true - batch.center).square().sum()
        self.merge(batch)

    def merge(self, later: NumberTotals) -> None:
        """Add the rows of another sum."""
        if not later.rows:
            return
        rows = self.rows + later.rows
        apart = later.center - self.center
        self.scatter = self.scatter + later.scatter + apart * apart * (self.rows * later.rows / rows)
        self.center = self.center + apart * (later.rows / rows)
        self.rows = rows
        self.loss = self.loss + later.loss
        self.absolute = self.absolute + later.absolute
        self.squared = self.squared + later.squared

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint in the middle of an epoch keeps."""
        return {"rows": self.rows} | {name: float(getattr(self, name)) for name in SUMS}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a checkpoint."""
        self.rows = state["rows"]
        for name in SUMS:
            setattr(self, name, state[name])

    def means(self) -> dict[str, float]:
        """Means over all rows; empty if there was none."""
        if not self.rows:
            return {}
        loss, squared, absolute = (float(total) / self.rows for total in (self.loss, self.squared, self.absolute))
        return {"loss": loss, "rmse": math.sqrt(squared), "mae": absolute}

    def compute(self) -> dict[str, float]:
        """Means, and `r2`: the share of the labels' variance that is explained; undefined (nan) where they do not vary."""
        if not self.rows:
            return {}
        scatter = float(self.scatter)
        return self.means() | {"r2": 1 - float(self.squared) / scatter if scatter else math.nan}
