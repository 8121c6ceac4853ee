"""Classes: cross entropy, accuracy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from vertical_lightning.split.class_weights import class_weights_of
from vertical_lightning.split.metrics import Totals


@dataclass(frozen=True)
class Classification:
    """One of several classes; labels are class numbers, the loss is the cross entropy.

    Args:
        classes: How many.
        weights: What a row of each class counts in what is minimized; empty: all the same. Metrics are never weighted.
        label_smoothing: Share of a label that is spread over all classes in what is minimized, in [0, 1) (Szegedy et al. 2016).

    >>> Classification(2).outputs, Classification(2).scores
    (2, ('accuracy', 'auroc'))
    """

    classes: int
    weights: tuple[float, ...] = ()
    label_smoothing: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what would leave nothing of the labels."""
        if not 0 <= self.label_smoothing < 1:
            raise ValueError(f"task.label_smoothing={self.label_smoothing} is not allowed: give a share in [0, 1).")

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
        return functional.cross_entropy(logits, labels, weights, label_smoothing=self.label_smoothing)

    def reported(
        self, loss: Float[Tensor, ""], logits: Float[Tensor, "batch classes"], labels: Int[Tensor, " batch"]
    ) -> Float[Tensor, ""]:
        """Return the cross entropy without weights and smoothing."""
        with torch.no_grad():
            return functional.cross_entropy(logits, labels) if self.weights or self.label_smoothing else loss

    def predictions(self, logits: Float[Tensor, "batch classes"]) -> Float[Tensor, "batch classes"]:
        """Return each class's probability."""
        return logits.float().softmax(dim=1)

    @property
    def metric_arguments(self) -> Mapping[str, object]:
        """What torchmetrics wants to know: of two classes the second is the positive one."""
        return {"task": "binary" if self.classes == 2 else "multiclass", "num_classes": self.classes}

    def totals(self) -> Totals:
        """Begin to sum up loss, accuracy and ROC AUC."""
        return Totals()


def classification(
    classes: Sequence[str],
    labels: Tensor,
    class_weights: str | Sequence[float] | None = None,
    label_smoothing: float = 0.0,
) -> Classification:
    """Take labels for classes.

    Args:
        classes: The name of each class number.
        labels: The label holder's training labels.
        class_weights: As in `class_weights_of`.
        label_smoothing: As in `Classification`.

    Raises:
        ValueError: The labels are no classes.
    """
    if not classes or labels.ndim > 1:
        raise ValueError("task=classification needs classes, and these labels are none; see data.task, or say task=auto.")
    return Classification(len(classes), class_weights_of(class_weights, classes, labels), label_smoothing)
