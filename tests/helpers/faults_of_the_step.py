"""Faults of the training step: each function plants one, through `monkeypatch.setattr`."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.optim import SGD, Optimizer

from vertical_lightning.merges.concat import Concat
from vertical_lightning.merges.mean import Mean
from vertical_lightning.split.accumulation import Accumulation
from vertical_lightning.split.party_optimizers import PartyOptimizers
from vertical_lightning.split.split_module import SplitModule
from vertical_lightning.split.topology import Topology

Patch = Callable[[object, str, object], None]


def mean_scaled(patch: Patch) -> None:
    """Forward is right; backward gives each party N times its gradient."""

    def forward(self: Mean, embeddings: list[Tensor]) -> Tensor:
        mean = torch.stack(embeddings).mean(dim=0)
        if mean.requires_grad:
            mean.register_hook(lambda gradient: gradient * len(embeddings))
        return mean

    patch(Mean, "forward", forward)


def optimizer_recreated(patch: Patch) -> None:
    honest = SplitModule.step

    def step(self: SplitModule, batch_idx: int) -> None:
        for optimizer in self.trainer.optimizers:
            optimizer.state.clear()
        honest(self, batch_idx)

    patch(SplitModule, "step", step)


def gradient_not_zeroed(patch: Patch) -> None:
    patch(Accumulation, "begin", lambda self, parties, batch: None)


def one_party_never_stepped(patch: Patch) -> None:
    patch(SplitModule, "step", lambda self, batch_idx: self.optimizers()[0].step())


def first_party_stepped_twice(patch: Patch) -> None:
    honest = SplitModule.step

    def step(self: SplitModule, batch_idx: int) -> None:
        honest(self, batch_idx)
        self.optimizers()[0].optimizer.step()

    patch(SplitModule, "step", step)


def clipped_by_the_global_norm(patch: Patch) -> None:
    def hook(self: SplitModule, optimizer: Optimizer) -> None:
        nn.utils.clip_grad_norm_(self.parameters(), next(iter(self.stepping.clip_norm_of.values())))

    patch(SplitModule, "on_before_optimizer_step", hook)


def not_clipped(patch: Patch) -> None:
    patch(SplitModule, "on_before_optimizer_step", lambda self, optimizer: None)


def momentum_lost(patch: Patch) -> None:
    honest = PartyOptimizers.configure

    def configure(self: PartyOptimizers, party: str, trainer: object) -> dict[str, Optimizer]:
        made = honest(self, party, trainer)
        return {"optimizer": SGD(made["optimizer"].param_groups[0]["params"], lr=0.1)} if party == "bob" else made

    patch(PartyOptimizers, "configure", configure)


def blocks_swapped(patch: Patch) -> None:
    """The merge puts the parties' embeddings side by side in another order."""
    honest = Concat.forward
    patch(Concat, "forward", lambda self, embeddings: honest(self, [*embeddings][::-1]))


def bottom_left_in_train_mode(patch: Patch) -> None:
    honest = Topology.train

    def train(self: Topology, mode: bool = True) -> Topology:
        honest(self, mode)
        self.own(self.feature_parties[0]).train()
        return self

    patch(Topology, "train", train)
