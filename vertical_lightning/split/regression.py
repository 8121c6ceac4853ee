"""Numbers: squared error of what is standardized."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from vertical_lightning.split.number_totals import NumberTotals


@dataclass(frozen=True)
class Regression:
    """A number; the network predicts it standardized, the loss is the mean squared error of that.

    So one learning rate does for ages and for incomes. Mean and spread are the label holder's own, and stay with it.

    Args:
        mean: Of the training labels.
        spread: Standard deviation of the training labels; 1 if they are all the same.

    >>> import torch
    >>> Regression(mean=10.0, spread=2.0).loss(torch.tensor([[0.5], [0.0]]), torch.tensor([10.0, 12.0])).item()
    0.625
    """

    mean: float
    spread: float

    def __post_init__(self) -> None:
        """Refuse what no label could be standardized with."""
        if not (math.isfinite(self.mean) and 0 < self.spread < math.inf):
            raise ValueError(
                f"mean={self.mean}, spread={self.spread} cannot standardize labels; give a finite mean and a finite spread "
                "above 0 (1 if all labels are the same)."
            )

    @property
    def outputs(self) -> int:
        """One logit: the standardized number."""
        return 1

    @property
    def scores(self) -> Sequence[str]:
        """Root mean squared error, and the explained share of variance."""
        return ("rmse", "r2")

    def loss(self, logits: Float[Tensor, "batch 1"], labels: Float[Tensor, " batch"]) -> Float[Tensor, ""]:
        """Return the mean squared error of the standardized labels."""
        standardized = (labels.double() - self.mean) / self.spread  # double: labels may be large beside their spread
        return (logits.squeeze(1) - standardized).square().mean()

    def reported(self, loss: Tensor, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the loss."""
        return loss

    def predictions(self, logits: Float[Tensor, "batch 1"]) -> Float[Tensor, " batch"]:
        """Return the numbers, in the labels' own units."""
        return self.mean + self.spread * logits.squeeze(1).float()

    @property
    def metric_arguments(self) -> Mapping[str, object]:
        """Nothing: metrics of numbers want to know of no classes."""
        return {}

    def totals(self) -> NumberTotals:
        """Begin to sum up loss, RMSE, MAE and R²."""
        return NumberTotals(self.mean, self.spread)


def regression(classes: Sequence[str], labels: Tensor) -> Regression:
    """Take labels for numbers, and standardize them by the training labels.

    Args:
        classes: The names of classes; there must be none.
        labels: The label holder's training labels.

    Raises:
        ValueError: The labels are classes.
    """
    if classes:
        raise ValueError(
            f"task=regression needs numbers, and the labels are {len(classes)} classes ({', '.join(map(str, classes[:5]))}…); "
            "of own files say data.task=regression, or say task=auto."
        )
    numbers = labels.double()
    return Regression(float(numbers.mean()), float(numbers.std(correction=0)) or 1.0)
