"""Every party's own optimizer, learning-rate schedule, clipping and accumulation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from vertical_lightning.split.accumulation import Accumulation, without_gradients
from vertical_lightning.split.learning_rate import SchedulerFactory, configured, settings
from vertical_lightning.split.per_party import per_party
from vertical_lightning.split.topology import Topology

OptimizerFactory = Callable[[Iterable[Tensor]], Optimizer]


class PartyOptimizers:
    """How each party steps: one choice for all, or a dict with a choice for each.

    Args:
        network: The split network.
        optimizer: Builds an optimizer from parameters.
        scheduler: Builds a learning-rate schedule from an optimizer.
        clip_norm: Largest L2 norm of a party's gradient.
        accumulate: Batches whose gradients a party adds up before it steps.

    Attributes:
        trained: The parties here or elsewhere that have something to train, in order.
        due: Those that step after the batch under way.
        asked: By party, the settings of its optimizer and schedule as they were asked for.

    Raises:
        ValueError: A dict names an unknown party.
    """

    def __init__(
        self,
        network: Topology,
        optimizer: OptimizerFactory | Mapping[str, OptimizerFactory],
        scheduler: SchedulerFactory | Mapping[str, SchedulerFactory] | None,
        clip_norm: float | Mapping[str, float] | None,
        accumulate: int | Mapping[str, int] | None,
    ) -> None:
        members = network.members
        self.parties: dict[str, nn.Module] = {party: network.own(party) for party in members}
        self.trained = [party for party, own in network.parties.items() if any(True for _ in own.parameters())]
        self.optimizer_of = per_party("optimizer", optimizer, members)
        self.scheduler_of: dict[str, SchedulerFactory] = per_party("scheduler", scheduler, members)
        self.clip_norm_of = per_party("clip_norm", clip_norm, members)
        self.accumulation, self.due = Accumulation(per_party("accumulate", accumulate, members)), list[str]()
        self.asked = dict[str, dict[str, Any]]()

    def build(self, trainer: pl.Trainer | None) -> list[Any]:
        """Build one optimizer, and one schedule where asked for, for every party that has something to train."""
        if missing := [party for party in self.trained if party not in self.optimizer_of]:
            raise ValueError(f"optimizer names no choice for {', '.join(missing)}, who have stages to train.")
        # Lightning counts batches by an optimizer's steps, also where the party has nothing to train.
        return [self.configure(party, trainer) for party in self.trained] or [torch.optim.SGD([nn.Parameter(torch.empty(0))])]

    def configure(self, party: str, trainer: pl.Trainer | None) -> dict[str, Any]:
        """Build one party's optimizer and schedule."""
        optimizer = self.optimizer_of[party](self.parties[party].parameters())
        made = configured(optimizer, self.scheduler_of.get(party), trainer)
        self.asked[party] = settings(made)
        return made

    def begin(self, batch_idx: int) -> None:
        """Clear the gradients of every party that begins a step with this batch of the epoch."""
        self.accumulation.begin(self.parties, batch_idx)

    def step(self, optimizers: Any, batch_idx: int, last: bool) -> None:
        """Step the optimizer of every party that has added up enough.

        Lightning counts each step of each wrapped optimizer in `global_step`. The first is stepped through Lightning, which
        counts batches and calls `on_before_optimizer_step`; the others are stepped as they are.

        Args:
            optimizers: Lightning's: one, or a list with one a trained party.
            batch_idx: Of the epoch.
            last: Whether the epoch has no other batch.
        """
        self.due = self.accumulation.due(self.parties, batch_idx, last)
        counted, *others = optimizers if isinstance(optimizers, list) else [optimizers]
        first, *later = self.trained or self.due
        with nullcontext() if first in self.due else without_gradients(self.parties[first]):
            counted.step()
        for party, wrapped in zip(later, others, strict=False):
            if party in self.due:
                wrapped.optimizer.step()

    def begin_local(self) -> None:
        """Clear every party's gradients."""
        for module in self.parties.values():
            module.zero_grad()

    def step_locally(self, optimizers: Any) -> None:
        """Clip and step every party past Lightning, which would count a step of the run."""
        self.due = self.trained
        self.clip()
        for wrapped in optimizers if isinstance(optimizers, list) else [optimizers]:
            wrapped.optimizer.step()

    def clip(self) -> None:
        """Clip the gradient of each party that is to step by its own norm."""
        for party, norm in self.clip_norm_of.items():
            if party in self.due:
                torch.nn.utils.clip_grad_norm_(self.parties[party].parameters(), norm)
