"""The training step of a split network, as a LightningModule with manual optimization."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytorch_lightning as pl
from torch import Tensor, nn
from torch.optim import Optimizer

from vertical_lightning.schema import VerticalBatch
from vertical_lightning.split.audit import audit
from vertical_lightning.split.checkpoint_io import kept, restore
from vertical_lightning.split.extra_metrics import MetricFactory
from vertical_lightning.split.guard import Own
from vertical_lightning.split.learning_rate import SchedulerFactory, step_schedules, tell_overridden
from vertical_lightning.split.nonfinite import check_finite, first_non_finite
from vertical_lightning.split.party_optimizers import OptimizerFactory, PartyOptimizers
from vertical_lightning.split.precision import check_precision
from vertical_lightning.split.replay import Replay
from vertical_lightning.split.running_metrics import RunningMetrics
from vertical_lightning.split.schedule import Schedule, Synchronous
from vertical_lightning.split.step_logging import log_step
from vertical_lightning.split.task import Task, fitting
from vertical_lightning.split.topology import Topology
from vertical_lightning.split.transport import Transport
from vertical_lightning.split.wire import Wire


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
        transport: How payloads come to parties in other processes; None if all are in this one.
        schedule: When the parties exchange and step; None for one exchange a batch.
        metrics: By name, what builds further metrics; only the label holder's process measures.

    Attributes:
        logged: The metrics of the checkpoint that was gone on from, as they were then.

    Raises:
        ValueError: If a dict lacks a party that has something to train, or names an unknown one, or the task does not fit.

    >>> import torch
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
        schedule: Schedule | None = None,
        metrics: Mapping[str, MetricFactory] | None = None,
    ) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.network = network
        self.task = fitting(task, network.outputs)
        self.stepping = PartyOptimizers(network, optimizer, scheduler, clip_norm, accumulate)
        self.trained = self.stepping.trained
        self.wire, self.evaluation_wire = network.wire(transport), network.wire(transport)
        self.metrics = RunningMetrics(self.task, metrics or {})
        self.schedule = schedule or Synchronous()
        self.schedule.check(self)
        self.audited, self.logged = False, dict[str, float]()

    def configure_optimizers(self) -> Any:
        """Build every party's own."""
        return self.stepping.build(self._trainer)

    def setup(self, stage: str) -> None:
        """Refuse what would train wrongly, and begin with empty sums; a checkpoint is loaded later."""
        check_precision(self.trainer.precision)
        self.metrics.restart()

    def on_fit_start(self) -> None:
        """Audit the first batch of every run."""
        self.audited = False

    def on_train_start(self) -> None:
        """Say what a checkpoint has put in the place of what was asked for."""
        tell_overridden(self.trainer, self.stepping.asked)

    def on_train_batch_start(self, batch: VerticalBatch, batch_idx: int) -> None:
        """End the last epoch if Lightning did not, as when it resumes from a checkpoint of an epoch's last step."""
        if batch_idx == 0 and (self.metrics.epoch.rows or self.metrics.window.rows):
            self.end_epoch()

    def training_step(self, batch: VerticalBatch, batch_idx: int) -> None:
        """Let the schedule train on a batch; a batch is one step, however often the parties exchange or step."""
        loss, logits = self.schedule.step(self, batch, batch_idx)
        step_schedules(self.trainer, "step", {})
        self.metrics.window.update(self.task.reported(loss, logits, batch.labels), logits, batch.labels)
        if self.logs_now:
            log_step(self.trainer, {f"train/{name}_step": value for name, value in self.metrics.of_window().items()}, True)

    def exchange(self, batch: VerticalBatch, batch_idx: int) -> tuple[Tensor, Tensor]:
        """Forward over the wire, loss at the label holder, gradients back over the wire, every party's own step."""
        self.stepping.begin(batch_idx)  # before forward, where another process may have to be waited for
        loss, logits = self.learn(batch, self.wire)
        self.step(batch_idx)
        return loss, logits

    def local(self, batch: VerticalBatch) -> tuple[Tensor, Tensor]:
        """Let every party step with its newest weights against what the last exchange brought; nothing crosses."""
        self.stepping.begin_local()
        loss, logits = self.learn(batch, Replay(self.wire))
        self.stepping.step_locally(self.optimizers())
        return loss, logits

    def learn(self, batch: VerticalBatch, wire: Wire) -> tuple[Tensor, Tensor]:
        """Give every party the gradients of one batch, over a wire."""
        features = batch.features if self.audited else wire.traced(batch.features, self.parties)
        holder = self.network.label_holder
        wire.open({party: Own(features.get(party), batch.labels if party == holder else None) for party in wire.guards})
        logits = self.network(features, wire)
        labels = wire.guards[holder].targets(batch.labels) if holder in wire.guards else batch.labels
        loss = self.task.loss(logits, labels)
        wire.penalize()
        if not loss.is_meta:
            check_finite(loss.item(), self.trainer.global_step, lambda: first_non_finite(self.parties, features, wire))
        if not self.audited:
            audit(self.parties, features, wire, loss, holder)
            self.audited = True
        if not loss.is_meta:
            self.manual_backward(loss)
        wire.return_gradients()
        return loss, logits

    @property
    def parties(self) -> dict[str, nn.Module]:
        """Each party's own modules; on `meta` if it is elsewhere."""
        return {party: self.network.own(party) for party in self.network.members}

    @property
    def logs_now(self) -> bool:
        """Whether the batch under way is one of every `log_every_n_steps`, counted over the run."""
        every: int = self.trainer.log_every_n_steps  # type: ignore[attr-defined]
        return every > 0 and (self.trainer.fit_loop.total_batch_idx + 1) % every == 0

    def step(self, batch_idx: int) -> None:
        """Step every party that has added up enough."""
        self.stepping.step(self.optimizers(), batch_idx, self.trainer.is_last_batch)

    def on_before_optimizer_step(self, optimizer: Optimizer) -> None:
        """Clip; called once an exchange, before any party steps."""
        self.stepping.clip()

    def on_train_epoch_end(self) -> None:
        """Log exact metrics over the epoch's rows, and end it."""
        self.log_dict({f"train/{name}": value for name, value in self.metrics.of_epoch().items()})
        self.end_epoch()

    def last_metrics(self) -> dict[str, float]:
        """Return what was logged last; of the last epoch too, where Lightning resumed after its last step and ended nothing."""
        ended = {f"train/{name}": value for name, value in self.metrics.of_epoch().items()}
        return self.logged | ended | {name: float(value) for name, value in self.trainer.callback_metrics.items()}

    def end_epoch(self) -> None:
        """Forget the epoch's rows and step the schedules of epochs."""
        self.metrics.end_epoch()
        step_schedules(self.trainer, "epoch", self.logged | self.trainer.callback_metrics)

    def validation_step(self, batch: VerticalBatch, batch_idx: int) -> dict[str, Tensor]:
        """Forward and loss only; nothing goes back. Callbacks get the logits as `outputs`."""
        self.evaluation_wire.open()
        logits = self.network(batch.features, self.evaluation_wire)
        if self.network.label_holder in self.evaluation_wire.guards:
            logits = self.evaluation_wire.guards[self.network.label_holder].answers(logits)
        loss = self.task.reported(self.task.loss(logits, batch.labels), logits, batch.labels)
        self.metrics.evaluation.update(loss, logits, batch.labels)
        return {"logits": logits}

    def test_step(self, batch: VerticalBatch, batch_idx: int) -> dict[str, Tensor]:
        """Forward and loss only; nothing goes back. Callbacks get the logits as `outputs`."""
        return self.validation_step(batch, batch_idx)

    def on_validation_epoch_end(self) -> None:
        """Log exact metrics over the validation rows."""
        self.log_dict({f"val/{name}": value for name, value in self.metrics.of_evaluation().items()}, prog_bar=True)

    def on_test_epoch_end(self) -> None:
        """Log exact metrics over the test rows."""
        self.log_dict({f"test/{name}": value for name, value in self.metrics.of_evaluation().items()})

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep what a resumed run needs to report the same."""
        checkpoint |= kept(self)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Go on where the checkpoint's run was."""
        restore(self, checkpoint)
