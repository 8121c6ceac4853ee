"""What the split is measured against: the uncut network and the same split by hand, in a plain torch loop and in Lightning."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from copy import copy, deepcopy
from functools import partial

import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.nn import functional

from vertical_lightning.data.loader import AlignedRows, PositionSampler
from vertical_lightning.schema import VerticalBatch
from vertical_lightning.split.split_module import SplitModule
from vertical_lightning.split.topology import Topology

Plain = Callable[[int], None]
"""Trains so many batches."""


class Uncut(nn.Module):
    """The same layers and weights as one network: nothing crosses, nothing is detached."""

    def __init__(self, network: Topology) -> None:
        super().__init__()
        own = {party: deepcopy(network.own(party)) for party in network.members}
        self.bottoms = nn.ModuleList(
            nn.Sequential(*(own[one][name] for name in network.bottoms[one])) for one in network.shapes
        )
        ((owner, names),) = network.segments
        self.merge = own[owner]["merge"]
        self.top = nn.Sequential(*(own[owner][name] for name in names))

    def forward(self, blocks: Sequence[Tensor]) -> Tensor:
        merged: Tensor = self.merge([bottom(block) for bottom, block in zip(self.bottoms, blocks, strict=True)])
        logits: Tensor = self.top(merged)
        return logits


def batches(rows: AlignedRows, sampler: PositionSampler) -> Iterator[tuple[list[Tensor], Tensor]]:
    """Pick batches from the same tensors, without end; whole ones only."""
    own = copy(sampler)
    while True:
        for positions in own:
            if len(positions) == min(own.batch_size, len(rows)):
                yield [block.index_select(0, positions) for block in rows.features.values()], rows.labels[positions]
        own.epoch += 1


def autocast(rows: AlignedRows, precision: str) -> AbstractContextManager[object]:
    """What Lightning's precision means in a plain loop."""
    return nullcontext() if precision == "32" else torch.autocast(rows.rows.device.type, torch.bfloat16)


def uncut_unfused(module: SplitModule, rows: AlignedRows, sampler: PositionSampler, precision: str) -> Plain:
    """The same with torch's default, a loop over the weights."""
    return uncut(module, rows, sampler, precision, fused=False)


def uncut(module: SplitModule, rows: AlignedRows, sampler: PositionSampler, precision: str, **adam: bool) -> Plain:
    """One network, one optimizer with the settings of the first party."""
    network = Uncut(module.network).to(rows.rows.device)
    optimizer = partial(module.stepping.optimizer_of[module.trained[0]], **adam)(network.parameters())
    source = batches(rows, sampler)

    def train(steps: int) -> None:
        for _ in range(steps):
            blocks, labels = next(source)
            optimizer.zero_grad()
            with autocast(rows, precision):
                loss = functional.cross_entropy(network(blocks), labels)
            loss.backward()
            optimizer.step()

    return train


def by_hand(module: SplitModule, rows: AlignedRows, sampler: PositionSampler, precision: str) -> Plain:
    """An optimizer a party, a detached copy of every embedding, its gradient handed back."""
    split = ByHand(module).to(rows.rows.device)
    optimizers, source = split.configure_optimizers(), batches(rows, sampler)

    def train(steps: int) -> None:
        for _ in range(steps):
            blocks, labels = next(source)
            for optimizer in optimizers:
                optimizer.zero_grad()
            with autocast(rows, precision):
                loss, sent, received = split(blocks, labels)
            loss.backward()
            torch.autograd.backward(sent, [one.grad.clone() for one in received])  # type: ignore[union-attr]
            for optimizer in optimizers:
                optimizer.step()

    return train


class ByHand(pl.LightningModule):
    """The same as the least that a LightningModule can do: no metrics, no wire, no audit, nothing logged."""

    def __init__(self, module: SplitModule) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.uncut = Uncut(module.network)
        self.adam = module.stepping.optimizer_of[module.trained[0]]

    def forward(self, blocks: Sequence[Tensor], labels: Tensor) -> tuple[Tensor, list[Tensor], list[Tensor]]:
        sent = [bottom(block) for bottom, block in zip(self.uncut.bottoms, blocks, strict=True)]
        received = [one.detach().clone().requires_grad_() for one in sent]
        return functional.cross_entropy(self.uncut.top(self.uncut.merge(received)), labels), sent, received

    def training_step(self, batch: VerticalBatch, batch_idx: int) -> None:
        counted, *others = self.optimizers()
        for wrapped in (counted, *others):
            wrapped.optimizer.zero_grad()
        loss, sent, received = self(list(batch.features.values()), batch.labels)
        self.manual_backward(loss)
        torch.autograd.backward(sent, [one.grad.clone() for one in received])  # type: ignore[union-attr]
        counted.step()  # Lightning counts batches by it
        for wrapped in others:
            wrapped.optimizer.step()

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        parts = [*self.uncut.bottoms, nn.ModuleList([self.uncut.merge, self.uncut.top])]
        return [self.adam(part.parameters()) for part in parts if any(True for _ in part.parameters())]
