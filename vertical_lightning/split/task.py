"""What is predicted from the logits, how a good answer is told, and what the labels say of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self

from torch import Tensor

from vertical_lightning.split.class_weights import class_weights_of
from vertical_lightning.split.classification import Classification, classification
from vertical_lightning.split.multilabel import Multilabel, multilabel
from vertical_lightning.split.regression import Regression, regression
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

    def predictions(self, logits: Tensor) -> Tensor:
        """Return what further metrics are given: probabilities, or numbers in the labels' units."""

    @property
    def metric_arguments(self) -> Mapping[str, object]:
        """What a metric of torchmetrics may want to know of the labels, by argument."""


TaskFactory = Callable[[Sequence[str], Tensor], Task]
"""Says what is to be predicted, from the classes' names and the label holder's training labels."""


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

    def predictions(self, logits: Tensor) -> Tensor:
        """Return the logits, which have no numbers."""
        return logits

    @property
    def metric_arguments(self) -> Mapping[str, object]:
        """Nothing is known of the labels."""
        return {}

    def totals(self) -> RowCount:
        """Begin to count rows."""
        return RowCount()


def following_labels(
    classes: Sequence[str],
    labels: Tensor,
    class_weights: str | Sequence[float] | None = None,
    label_smoothing: float = 0.0,
) -> Task:
    """Let the labels say what is to be predicted: a class, several labels, or a number.

    Args:
        classes: The name of each class number or label; empty where labels are numbers.
        labels: The label holder's training labels.
        class_weights: As in `classification` and `multilabel`.
        label_smoothing: As there.

    Raises:
        ValueError: Weights or smoothing where labels are numbers.
    """
    if labels.ndim == 2:
        return multilabel(classes, labels, class_weights, label_smoothing)
    if classes:
        return classification(classes, labels, class_weights, label_smoothing)
    class_weights_of(class_weights, classes, labels)
    if label_smoothing:
        raise ValueError(f"task.label_smoothing={label_smoothing} needs classes, and the labels are numbers: leave it 0.")
    return regression(classes, labels)


def task_from(classes: Sequence[str], mean: float = 0.0, spread: float = 1.0, multilabel: bool = False) -> Task:
    """Return the task of a checkpoint: classes, several labels, or a number with the training labels' mean and spread."""
    if multilabel:
        return Multilabel(len(classes))
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
