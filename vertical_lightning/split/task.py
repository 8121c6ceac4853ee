"""What is predicted from the logits: classes, or a number."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from vertical_lightning.split.class_weights import class_weights_of
from vertical_lightning.split.metrics import Totals
from vertical_lightning.split.number_totals import NumberTotals
from vertical_lightning.split.row_count import RowCount


class Sums(Protocol):
    """Metrics over rows, whatever the batch sizes; `loss` is among them."""

    rows: int

    def update(self, loss: Tensor, logits: Tensor, labels: Tensor) -> None:
        """Add one batch; `loss` is the mean over its rows."""

    def merge(self, later: Self) -> None:
        """Add the rows of another sum."""

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint in the middle of an epoch keeps."""

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a checkpoint."""

    def means(self) -> dict[str, float]:
        """Metrics that make sense for a few batches; empty if there was no row."""

    def compute(self) -> dict[str, float]:
        """All metrics; empty if there was no row."""


class Task(Protocol):
    """What the label holder wants to know of each row, and how it tells a good answer."""

    @property
    def outputs(self) -> int:
        """How many logits a row has."""

    @property
    def scores(self) -> Sequence[str]:
        """The metrics that are worth a chart beside the loss."""

    def loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return what is minimized, the mean over the batch."""

    def reported(self, loss: Tensor, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the loss that metrics show, the plain mean over rows; `loss` is what is minimized."""

    def totals(self) -> Sums:
        """Begin to sum up metrics."""


@dataclass(frozen=True)
class Classification:
    """One of several classes; labels are class numbers, the loss is the cross entropy.

    Args:
        classes: How many.
        weights: What a row of each class counts in what is minimized; empty: all the same. Metrics are never weighted.

    >>> Classification(2).outputs, Classification(2).scores
    (2, ('accuracy', 'auroc'))
    """

    classes: int
    weights: tuple[float, ...] = ()

    @property
    def outputs(self) -> int:
        """One logit a class."""
        return self.classes

    @property
    def scores(self) -> Sequence[str]:
        """Accuracy, and the area under the ROC curve where there are two classes."""
        return ("accuracy", "auroc") if self.classes == 2 else ("accuracy",)

    def loss(self, logits: Float[Tensor, "batch classes"], labels: Int[Tensor, " batch"]) -> Float[Tensor, ""]:
        """Return the mean cross entropy; with weights, the weighted mean over the batch."""
        weights = logits.new_tensor(self.weights) if self.weights else None
        return functional.cross_entropy(logits, labels, weights)

    def reported(
        self, loss: Float[Tensor, ""], logits: Float[Tensor, "batch classes"], labels: Int[Tensor, " batch"]
    ) -> Float[Tensor, ""]:
        """Return the cross entropy without weights."""
        with torch.no_grad():
            return functional.cross_entropy(logits, labels) if self.weights else loss

    def totals(self) -> Totals:
        """Begin to sum up loss, accuracy and ROC AUC."""
        return Totals()


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

    def totals(self) -> NumberTotals:
        """Begin to sum up loss, RMSE, MAE and R²."""
        return NumberTotals(self.mean, self.spread)


@dataclass(frozen=True)
class Elsewhere:
    """The label holder's business, in a process where it is not: logits and labels are on the device `meta`.

    Args:
        outputs: How many logits a row has.

    >>> Elsewhere(2).scores
    ()
    """

    outputs: int

    @property
    def scores(self) -> Sequence[str]:
        """None."""
        return ()

    def loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return a loss without a number."""
        return logits.new_zeros(())

    def reported(self, loss: Tensor, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the loss."""
        return loss

    def totals(self) -> RowCount:
        """Begin to count rows."""
        return RowCount()


def task_of(classes: Sequence[str], labels: Tensor, class_weights: str | Sequence[float] | None = None) -> Task:
    """Say what is to be predicted.

    Args:
        classes: The name of each class number; empty where labels are numbers.
        labels: The label holder's training labels.
        class_weights: As in `class_weights_of`.
    """
    weights = class_weights_of(class_weights, classes, labels)
    if classes:
        return Classification(len(classes), weights)
    numbers = labels.double()
    return Regression(float(numbers.mean()), float(numbers.std(correction=0)) or 1.0)


def task_from(classes: Sequence[str], mean: float = 0.0, spread: float = 1.0) -> Task:
    """Return the task of a checkpoint: classes, or a number with the training labels' mean and spread."""
    return Classification(len(classes)) if classes else Regression(mean, spread)


def fitting(task: Task | None, outputs: int) -> Task:
    """Return the task of a network with so many outputs; without one its outputs are classes.

    Raises:
        ValueError: If the task needs another number of outputs.
    """
    if task is not None and task.outputs != outputs:
        raise ValueError(
            f"the network has outputs={outputs}, but {task} needs {task.outputs}: build it with outputs=task.outputs."
        )
    return Classification(outputs) if task is None else task
