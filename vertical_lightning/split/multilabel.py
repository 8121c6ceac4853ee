"""Several labels at once, each of them yes or no."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from vertical_lightning.split.metrics import auroc


@dataclass(frozen=True)
class Multilabel:
    """Several yes-or-no questions about each row; the loss is the mean binary cross entropy of all.

    Args:
        labels: How many questions.
        weights: What a yes to each counts in what is minimized, a no counts 1; empty: the same. Metrics are never weighted.
        label_smoothing: Share of a label that is replaced by one half in what is minimized, in [0, 1).

    >>> Multilabel(2).loss(torch.zeros(1, 2), torch.tensor([[1.0, 0.0]])).item() == torch.log(torch.tensor(2.0)).item()
    True
    """

    labels: int
    weights: tuple[float, ...] = ()
    label_smoothing: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what would leave nothing of the labels."""
        if not 0 <= self.label_smoothing < 1:
            raise ValueError(f"task.label_smoothing={self.label_smoothing} is not allowed: give a share in [0, 1).")

    @property
    def outputs(self) -> int:
        """One logit a label."""
        return self.labels

    @property
    def scores(self) -> Sequence[str]:
        """The share of right answers, the share of rows without a wrong one, and the mean area under the ROC curves."""
        return ("accuracy", "exact_match", "auroc")

    def loss(self, logits: Float[Tensor, "batch labels"], labels: Float[Tensor, "batch labels"]) -> Float[Tensor, ""]:
        """Return the mean over rows and labels."""
        weights = logits.new_tensor(self.weights) if self.weights else None
        soft = labels * (1 - self.label_smoothing) + self.label_smoothing / 2
        return functional.binary_cross_entropy_with_logits(logits, soft.to(logits.dtype), pos_weight=weights)

    def reported(self, loss: Tensor, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the loss without weights and smoothing."""
        with torch.no_grad():
            return Multilabel(self.labels).loss(logits, labels) if self.weights or self.label_smoothing else loss

    def predictions(self, logits: Float[Tensor, "batch labels"]) -> Float[Tensor, "batch labels"]:
        """Return each label's probability."""
        return logits.float().sigmoid()

    @property
    def metric_arguments(self) -> Mapping[str, object]:
        """What torchmetrics wants to know."""
        return {"task": "multilabel", "num_labels": self.labels}

    def totals(self) -> MultilabelTotals:
        """Begin to sum up."""
        return MultilabelTotals()


class MultilabelTotals:
    """Sums over batches: exact means over rows, whatever the batch sizes, read once.

    >>> totals = MultilabelTotals()
    >>> totals.update(torch.tensor(0.5), torch.tensor([[2.0, -1.0], [-1.0, 1.0]]), torch.tensor([[1.0, 0.0], [0.0, 0.0]]))
    >>> totals.means()
    {'loss': 0.5, 'accuracy': 0.75, 'exact_match': 0.5}
    """

    def __init__(self) -> None:
        self.rows = 0
        self.loss: Tensor | float = 0.0
        self.correct: Tensor | float = 0.0
        self.exact: Tensor | float = 0.0
        self.scores: list[Tensor] = []
        self.labels: list[Tensor] = []

    @torch.no_grad()
    def update(
        self, loss: Float[Tensor, ""], logits: Float[Tensor, "batch labels"], labels: Float[Tensor, "batch labels"]
    ) -> None:
        """Add one batch; `loss` is the mean over its rows."""
        right = (logits > 0) == (labels > 0.5)
        self.rows += len(labels)
        self.loss = self.loss + loss * len(labels)
        self.correct = self.correct + right.float().mean(dim=1).sum()
        self.exact = self.exact + right.all(dim=1).sum()
        self.scores.append(logits.float().clone())  # without the graph
        self.labels.append(labels)

    def merge(self, later: MultilabelTotals) -> None:
        """Add the rows of another sum."""
        self.rows += later.rows
        self.loss, self.correct, self.exact = self.loss + later.loss, self.correct + later.correct, self.exact + later.exact
        self.scores += later.scores
        self.labels += later.labels

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint in the middle of an epoch keeps."""
        sums = {name: float(getattr(self, name)) for name in ("loss", "correct", "exact")}
        return {"rows": self.rows, **sums, "scores": self.scores, "labels": self.labels}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a checkpoint."""
        self.rows, self.loss, self.correct, self.exact = (state[name] for name in ("rows", "loss", "correct", "exact"))
        self.scores, self.labels = list(state["scores"]), list(state["labels"])

    def means(self) -> dict[str, float]:
        """Means over all rows; empty if there was none."""
        if not self.rows:
            return {}
        sums = {"loss": self.loss, "accuracy": self.correct, "exact_match": self.exact}
        return {name: float(total) / self.rows for name, total in sums.items()}

    def compute(self) -> dict[str, float]:
        """Means, and `auroc`: the mean over labels; undefined (nan) if one of them is all yes or all no."""
        if not self.rows:
            return {}
        scores, labels = torch.cat(self.scores), torch.cat(self.labels)
        each = [auroc([scores[:, place]], [labels[:, place]]) for place in range(labels.shape[1])]
        return self.means() | {"auroc": sum(each) / len(each)}


def multilabel(
    classes: Sequence[str],
    labels: Tensor,
    class_weights: str | Sequence[float] | None = None,
    label_smoothing: float = 0.0,
) -> Multilabel:
    """Take labels for several yes-or-no questions.

    Args:
        classes: The name of each label.
        labels: The label holder's training labels `[rows, labels]`.
        class_weights: What a yes to each counts, one number a label; `balanced`: noes ÷ yeses; None: the same as a no.
        label_smoothing: As in `Multilabel`.

    Raises:
        ValueError: A row has one label only, or weights are not one a label.
    """
    if labels.ndim != 2:
        raise ValueError("task=multilabel needs several labels a row: data.parties.NAME.label=[late,returned], for example.")
    if class_weights is None:
        return Multilabel(labels.shape[1], (), label_smoothing)
    if class_weights == "balanced":
        yeses = (labels > 0.5).sum(dim=0).double()
        return Multilabel(labels.shape[1], tuple(((len(labels) - yeses) / yeses.clamp(min=1)).tolist()), label_smoothing)
    if len(class_weights) != labels.shape[1]:
        raise ValueError(
            f"task.class_weights has {len(class_weights)} numbers for {labels.shape[1]} labels: give one for each of "
            f"{', '.join(classes)}, in this order, or balanced."
        )
    return Multilabel(labels.shape[1], tuple(map(float, class_weights)), label_smoothing)
