"""Loss, accuracy and ROC AUC over many rows, summed on the device and read once."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor


class Totals:
    """Sums over batches: exact means over rows, whatever the batch sizes, without a synchronization per batch.

    >>> totals = Totals()
    >>> totals.update(torch.tensor(0.5), torch.tensor([[2.0, 0.0], [0.5, 0.0]]), torch.tensor([0, 1]))
    >>> totals.compute()
    {'loss': 0.5, 'accuracy': 0.5, 'auroc': 1.0}
    """

    def __init__(self) -> None:
        self.rows = 0
        self.loss: Tensor | float = 0.0
        self.correct: Tensor | int = 0
        self.scores: list[Tensor] = []
        self.labels: list[Tensor] = []

    @torch.no_grad()
    def update(self, loss: Float[Tensor, ""], logits: Float[Tensor, "batch classes"], labels: Int[Tensor, " batch"]) -> None:
        """Add one batch; `loss` is the mean over its rows."""
        self.rows += len(labels)
        self.loss = self.loss + loss * len(labels)
        self.correct = self.correct + (logits.argmax(dim=1) == labels).sum()
        if logits.shape[1] == 2:
            self.scores.append(logits[:, 1].float() - logits[:, 0].float())
            self.labels.append(labels)

    def merge(self, later: Totals) -> None:
        """Add the rows of another sum."""
        self.rows += later.rows
        self.loss = self.loss + later.loss
        self.correct = self.correct + later.correct
        self.scores += later.scores
        self.labels += later.labels

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint in the middle of an epoch keeps."""
        sums = {"rows": self.rows, "loss": float(self.loss), "correct": int(self.correct)}
        return sums | {"scores": self.scores, "labels": self.labels}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a checkpoint."""
        self.rows, self.loss, self.correct = state["rows"], state["loss"], state["correct"]
        self.scores, self.labels = list(state["scores"]), list(state["labels"])

    def means(self) -> dict[str, float]:
        """Means over all rows; empty if there was none."""
        if not self.rows:
            return {}
        return {"loss": float(self.loss) / self.rows, "accuracy": float(self.correct) / self.rows}

    def compute(self) -> dict[str, float]:
        """Means, and `auroc` where there are two classes."""
        return self.means() | ({"auroc": auroc(self.scores, self.labels)} if self.scores else {})


def auroc(scores: list[Tensor], labels: list[Tensor]) -> float:
    """Area under the ROC curve of the score of class 1; ties count half. Undefined (nan) if one class is missing."""
    score, label = torch.cat(scores), torch.cat(labels)
    if label.min() == label.max():
        return float("nan")
    # One second to import, and needed only where there are two classes.
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(label.cpu(), score.cpu()))
