"""A run's metrics while it goes: of the steps since the last log, of the epoch, and of the rows evaluated."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from vertical_lightning.split.extra_metrics import ExtraMetrics, MetricFactory, begun
from vertical_lightning.split.task import Elsewhere, Sums, Task


class RunningMetrics:
    """Sums over rows that are read when they are logged, and begun anew.

    Args:
        task: Begins sums.
        extra: By name, what builds further metrics.

    Attributes:
        window: Of the training steps since the last log.
        epoch: Of the epoch's training steps before these.
        evaluation: Of the rows evaluated.
    """

    def __init__(self, task: Task, extra: Mapping[str, MetricFactory]) -> None:
        self.task = task
        here = not isinstance(task, Elsewhere)  # logits and labels, too
        self.extra = {name: begun(name, factory, task) for name, factory in extra.items()} if here else {}
        self.restart()

    def begin(self) -> Sums:
        """Begin a sum."""
        totals = self.task.totals()
        return ExtraMetrics(totals, deepcopy(self.extra), self.task) if self.extra else totals

    def restart(self) -> None:
        """Forget all rows, those of a run that was stopped."""
        self.window, self.epoch, self.evaluation = (self.begin() for _ in range(3))

    def of_window(self) -> dict[str, float]:
        """Return means over the steps since the last call, and keep them for the epoch."""
        means = self.window.means()
        self.epoch.merge(self.window)
        self.window = self.begin()
        return means

    def of_epoch(self) -> dict[str, float]:
        """Return exact metrics over the epoch's training rows so far."""
        self.epoch.merge(self.window)
        self.window = self.begin()
        return self.epoch.compute()

    def end_epoch(self) -> None:
        """Forget the epoch's rows."""
        self.window, self.epoch = self.begin(), self.begin()

    def of_evaluation(self) -> dict[str, float]:
        """Return exact metrics over the rows evaluated, and forget them."""
        metrics = self.evaluation.compute()
        self.evaluation = self.begin()
        return metrics

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint in the middle of an epoch keeps."""
        return {"window": self.window.state_dict(), "epoch_sums": self.epoch.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a checkpoint."""
        self.window.load_state_dict(state["window"])
        self.epoch.load_state_dict(state["epoch_sums"])
