"""Further metrics, of torchmetrics or of your own, beside those that a task always has."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, Self

import torch
from torch import Tensor
from torchmetrics import Metric

from vertical_lightning.split.metric_direction import less_is_better
from vertical_lightning.split.task import Sums, Task

MetricFactory = Callable[..., Metric]

CHUNK = 8192
"""Rows that are handed to a metric at once: by the batch it would take longer than a training step."""


class ExtraMetrics:
    """A task's sums with further metrics over the same rows; these are for whole epochs, not for a few steps.

    Predictions and labels are kept until there are enough for one call.

    Args:
        totals: The task's own sums.
        metrics: By name, metrics without rows.
        task: Turns logits into predictions.
    """

    def __init__(self, totals: Sums, metrics: Mapping[str, Metric], task: Task) -> None:
        self.totals, self.metrics, self.task = totals, metrics, task
        self.predictions: list[Tensor] = []
        self.labels: list[Tensor] = []
        self.counted = False
        self.rows = totals.rows

    @torch.no_grad()
    def update(self, loss: Tensor, logits: Tensor, labels: Tensor) -> None:
        """Add one batch."""
        self.totals.update(loss, logits, labels)
        self.predictions.append(self.task.predictions(logits))
        self.labels.append(labels)
        self.rows = self.totals.rows

    def merge(self, later: Self) -> None:
        """Add the rows of another sum, whose metrics have counted none yet."""
        self.totals.merge(later.totals)
        self.predictions += later.predictions
        self.labels += later.labels
        self.rows = self.totals.rows
        if sum(map(len, self.labels)) >= CHUNK:
            self.count()

    @torch.no_grad()
    def count(self) -> None:
        """Hand the rows that were kept to the metrics."""
        if self.labels:
            predictions, labels = torch.cat(self.predictions), torch.cat(self.labels)
            for metric in self.metrics.values():
                metric.to(labels.device).update(*suited(metric, predictions, labels))
            self.predictions, self.labels, self.counted = [], [], True

    def means(self) -> dict[str, float]:
        """The task's own."""
        return self.totals.means()

    def compute(self) -> dict[str, float]:
        """All metrics; empty if there was no row."""
        if not self.rows:
            return {}
        self.count()
        return self.totals.compute() | {name: float(metric.compute()) for name, metric in self.metrics.items()}

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint in the middle of an epoch keeps."""
        own = {"predictions": self.predictions, "labels": self.labels, "counted": self.counted}
        return {**self.totals.state_dict(), "extra": own | {name: metric.state_dict() for name, metric in self.metrics.items()}}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a checkpoint."""
        self.totals.load_state_dict(state)
        self.rows = self.totals.rows
        own = state.get("extra", {"predictions": [], "labels": [], "counted": False})
        self.predictions, self.labels, self.counted = list(own["predictions"]), list(own["labels"]), own["counted"]
        for name, metric in self.metrics.items():
            if name in own and self.counted:
                metric.load_state_dict(own[name])
                metric._update_count = 1  # torchmetrics keeps no count, and would warn of a metric without rows


def suited(metric: Metric, predictions: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Return what a metric is given: of two classes the second one's probability, unless it counts classes by itself."""
    if predictions.ndim == 2 and labels.ndim == 1 and predictions.shape[1] == 2 and not hasattr(metric, "num_classes"):
        return predictions[:, 1], labels
    return predictions, labels.int() if labels.ndim == 2 else labels


def begun(name: str, factory: MetricFactory, task: Task) -> Metric:
    """Build a metric, with what it wants to know of the labels and its yaml does not say.

    Raises:
        ValueError: It cannot be built, gives no single number, or its name would be taken for the wrong direction.
    """
    wanted = inspect.signature(factory).parameters
    given = getattr(factory, "keywords", {})
    known = {key: value for key, value in task.metric_arguments.items() if key in wanted and key not in given}
    try:
        metric = factory(**known)
        metric.persistent(True)
        metric.update(*suited(metric, *sample(task)))
        value = metric.compute()
        metric.reset()
    except (TypeError, ValueError, RuntimeError, IndexError) as error:
        raise ValueError(f"metrics.{name} cannot measure {task}: {error}") from error
    if not isinstance(value, Tensor) or value.numel() != 1:
        raise ValueError(f"metrics.{name} gives no single number; choose an average, such as metrics.{name}.average=macro.")
    if metric.higher_is_better is not None and metric.higher_is_better == less_is_better(f"val/{name}"):
        better = "more" if metric.higher_is_better else "less"
        raise ValueError(
            f"metrics.{name}: {better} of {type(metric).__name__} is better, and its name says otherwise; where less is better "
            "the name has error or loss in it, and else neither."
        )
    return metric


def sample(task: Task) -> tuple[Tensor, Tensor]:
    """Return predictions and labels of a few made-up rows."""
    rows = 2 * max(task.outputs, 2)
    logits = torch.linspace(-1, 1, rows * task.outputs).reshape(rows, task.outputs)
    predictions = task.predictions(logits)
    if task.metric_arguments.get("task") == "multilabel":
        return predictions, (torch.arange(rows * task.outputs).reshape(rows, task.outputs) % 2).float()
    if "num_classes" in task.metric_arguments:
        return predictions, torch.arange(rows) % task.outputs
    return predictions, torch.linspace(0, 1, rows)
