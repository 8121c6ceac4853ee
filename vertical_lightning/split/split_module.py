"""The training step of a split network, as a LightningModule with manual optimization."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from vertical_lightning.schema import VerticalBatch
from vertical_lightning.split.accumulation import Accumulation, without_gradients
from vertical_lightning.split.audit import audit
from vertical_lightning.split.checkpoint_io import kept, restore
from vertical_lightning.split.learning_rate import SchedulerFactory, configured, settings, step_schedules, tell_overridden
from vertical_lightning.split.nonfinite import check_finite, first_non_finite
from vertical_lightning.split.per_party import per_party
from vertical_lightning.split.precision import check_precision
from vertical_lightning.split.step_logging import log_step
from vertical_lightning.split.task import Task, fitting
from vertical_lightning.split.topology import Topology
from vertical_lightning.split.wire import Transport, Wire

OptimizerFactory = Callable[[Iterable[Tensor]], Optimizer]


class SplitModule(pl.LightningModule):
    """Trains a `Topology`: every party steps its own optimizer with gradients that reached it over the wire.

    `optimizer`, `scheduler`, `clip_norm` and `accumulate` are one choice for all parties, or a dict with a choice for each.

    Args:
        network: The split network.
        optimizer: Builds an optimizer from parameters, such as `functools.partial(torch.optim.SGD, lr=0.1)`.
        scheduler: Builds a learning-rate schedule from an optimizer, or is a `LearningRateSchedule`.
        clip_norm: Largest L2 norm of a party's gradient; None for no limit.
        accumulate: Batches whose gradients a party adds up before it steps; None for one.
        task: What is predicted; None for classes, one for each of the network's outputs.
        transport: How tensors come to parties in other processes; None if all are in this one.

    Attributes:
        logged: The metrics of the checkpoint that was gone on from, as they were then.

    Raises:
        ValueError: If a dict lacks a party that has something to train, or names an unknown one, or the task does not fit.

    >>> from functools import partial
    >>> from vertical_lightning.architectures.mlp import Mlp
    >>> from vertical_lightning.merges.concat import Concat
    >>> network = Topology(Mlp([4]), {"alice": (3,)}, 2, "bob", owners=["bob"], cut=1, merge=Concat)
    >>> module = SplitModule(network, partial(torch.optim.SGD, lr=0.1))
    >>> module.trained
    ['alice', 'bob']
    """

    def __init__(
        self,
        network: Topology,
        optimizer: OptimizerFactory | Mapping[str, OptimizerFactory],
        scheduler: SchedulerFactory | Mapping[str, SchedulerFactory] | None = None,
        clip_norm: float | Mapping[str, float] | None = None,
        accumulate: int | Mapping[str, int] | None = None,
        task: Task | None = None,
        transport: Transport | None = None,
    ) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.network = network
        self.task = fitting(task, network.outputs)
        self.trained = [party for party, own in network.parties.items() if any(True for _ in own.parameters())]
        self.optimizer_of = per_party("optimizer", optimizer, network.members)
        self.scheduler_of: dict[str, SchedulerFactory] = per_party("scheduler", scheduler, network.members)
        self.clip_norm_of = per_party("clip_norm", clip_norm, network.members)
        self.accumulation, self.due = Accumulation(per_party("accumulate", accumulate, network.members)), list[str]()
        self.wire, self.evaluation_wire = Wire(transport), Wire(transport)
        self.window, self.epoch, self.evaluation = (self.task.totals() for _ in range(3))
        self.audited, self.logged, self.asked = False, dict[str, float](), dict[str, dict[str, Any]]()

    def configure_optimizers(self) -> Any:
        """Build one optimizer, and one schedule where asked for, for every party that has something to train."""
        if missing := [party for party in self.trained if party not in self.optimizer_of]:
            raise ValueError(f"optimizer names no choice for {', '.join(missing)}, who have stages to train.")
        # Lightning counts batches by an optimizer's steps, also where the party has nothing to train.
        return [self.configure(party) for party in self.trained] or [torch.optim.SGD([nn.Parameter(torch.empty(0))])]

    def configure(self, party: str) -> dict[str, Any]:
        """Build one party's optimizer and schedule."""
        optimizer = self.optimizer_of[party](self.network.own(party).parameters())
        made = configured(optimizer, self.scheduler_of.get(party), self._trainer)
        self.asked[party] = settings(made)
        return made

    def setup(self, stage: str) -> None:
        """Refuse what would train wrongly, and begin with empty sums; a checkpoint is loaded later."""
        check_precision(self.trainer.precision)
        self.window, self.epoch, self.evaluation = (self.task.totals() for _ in range(3))  # of a run that was stopped

    def on_fit_start(self) -> None:
        """Audit the first batch of every run."""
        self.audited = False

    def on_train_start(self) -> None:
        """Say what a checkpoint has put in the place of what was asked for."""
        tell_overridden(self.trainer, self.asked)

    def on_train_batch_start(self, batch: VerticalBatch, batch_idx: int) -> None:
        """End the last epoch if Lightning did not, as when it resumes from a checkpoint of an epoch's last step."""
        if batch_idx == 0 and (self.epoch.rows or self.window.rows):
            self.end_epoch()

    def training_step(self, batch: VerticalBatch, batch_idx: int) -> None:
        """Forward over the wire, loss at the label holder, gradients back over the wire, every party's own step."""
        self.wire.open()
        self.accumulation.begin(self.parties, batch_idx)  # before forward, where another process may have to be waited for
        features = batch.features if self.audited else self.wire.traced(batch.features, self.parties)
        logits = self.network(features, self.wire)
        loss = self.task.loss(logits, batch.labels)
        self.check(loss, features)
        if not loss.is_meta:
            self.manual_backward(loss)
        self.wire.return_gradients()
        self.step(batch_idx)
        step_schedules(self.trainer, "step", {})
        self.window.update(self.task.reported(loss, logits, batch.labels), logits, batch.labels)
        if self.logs_now:
            self.log_window()

    @property
    def parties(self) -> dict[str, nn.Module]:
        """Each party's own modules; on `meta` if it is elsewhere."""
        return {party: self.network.own(party) for party in self.network.members}

    @property
    def logs_now(self) -> bool:
        """Whether the batch under way is one of every `log_every_n_steps`, counted over the run."""
        every: int = self.trainer.log_every_n_steps  # type: ignore[attr-defined]
        return every > 0 and (self.trainer.fit_loop.total_batch_idx + 1) % every == 0

    def check(self, loss: Tensor, features: Mapping[str, Tensor]) -> None:
        """Stop at a loss that is not finite, and audit the boundary on the first batch of a run."""
        if not loss.is_meta:
            check_finite(loss.item(), self.trainer.global_step, lambda: first_non_finite(self.parties, features, self.wire))
        if not self.audited:
            audit(self.parties, features, self.wire, loss, self.network.label_holder)
            self.audited = True

    def step(self, batch_idx: int) -> None:
        """Step the optimizer of every party that has added up enough.

        Lightning counts each step of each wrapped optimizer in `global_step`. The first is stepped through Lightning, which
        counts batches and calls `on_before_optimizer_step`; the others are stepped as they are.
        """
        self.due = self.accumulation.due(self.parties, batch_idx, self.trainer.is_last_batch)
        optimizers = self.optimizers()
        counted, *others = optimizers if isinstance(optimizers, list) else [optimizers]
        first, *later = self.trained or self.due
        with nullcontext() if first in self.due else without_gradients(self.network.own(first)):
            counted.step()
        for party, wrapped in zip(later, others, strict=False):
            if party in self.due:
                wrapped.optimizer.step()

    def on_before_optimizer_step(self, optimizer: Optimizer) -> None:
        """Clip every party's gradient by its own norm; called once a batch, before any party steps."""
        for party, norm in self.clip_norm_of.items():
            if party in self.due:
                torch.nn.utils.clip_grad_norm_(self.network.own(party).parameters(), norm)

    def log_window(self) -> None:
        """Log means over the batches since the last call, and keep them for the epoch."""
        log_step(self.trainer, {f"train/{name}_step": value for name, value in self.window.means().items()}, prog_bar=True)
        self.epoch.merge(self.window)
        self.window = self.task.totals()

    def on_train_epoch_end(self) -> None:
        """Log exact means over the epoch's rows, and end it."""
        self.epoch.merge(self.window)
        self.log_dict({f"train/{name}": value for name, value in self.epoch.compute().items()})
        self.end_epoch()

    def last_metrics(self) -> dict[str, float]:
        """Return what was logged last; of the last epoch too, where Lightning resumed after its last step and ended nothing."""
        self.epoch.merge(self.window)
        ended = {f"train/{name}": value for name, value in self.epoch.compute().items()}
        return self.logged | ended | {name: float(value) for name, value in self.trainer.callback_metrics.items()}

    def end_epoch(self) -> None:
        """Forget the epoch's rows and step the schedules of epochs."""
        self.window, self.epoch = self.task.totals(), self.task.totals()
        step_schedules(self.trainer, "epoch", self.logged | self.trainer.callback_metrics)

    def validation_step(self, batch: VerticalBatch, batch_idx: int) -> dict[str, Tensor]:
        """Forward and loss only; nothing goes back. Callbacks get the logits as `outputs`."""
        self.evaluation_wire.open()
        logits = self.network(batch.features, self.evaluation_wire)
        loss = self.task.reported(self.task.loss(logits, batch.labels), logits, batch.labels)
        self.evaluation.update(loss, logits, batch.labels)
        return {"logits": logits}

    def test_step(self, batch: VerticalBatch, batch_idx: int) -> dict[str, Tensor]:
        """Forward and loss only; nothing goes back. Callbacks get the logits as `outputs`."""
        return self.validation_step(batch, batch_idx)

    def on_validation_epoch_end(self) -> None:
        """Log exact means over the validation rows."""
        self.log_evaluation("val")

    def on_test_epoch_end(self) -> None:
        """Log exact means over the test rows."""
        self.log_evaluation("test")

    def log_evaluation(self, phase: str) -> None:
        """Log and forget the evaluated rows."""
        means = {f"{phase}/{name}": value for name, value in self.evaluation.compute().items()}
        self.log_dict(means, prog_bar=phase == "val")
        self.evaluation = self.task.totals()

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep what a resumed run needs to report the same."""
        checkpoint |= kept(self)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Go on where the checkpoint's run was."""
        restore(self, checkpoint)
