"""What the split is measured against: the uncut network, and the same split by hand, both in a plain torch loop."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional

from vertical_lightning.data.loader import AlignedRows, PositionSampler
from vertical_lightning.split_module import SplitModule
from vertical_lightning.topologies.topology import Topology

Loop = Callable[[int], None]
"""Trains so many batches."""


class Uncut(nn.Module):
    """The same layers and weights as one network: nothing crosses, nothing is detached."""

    def __init__(self, network: Topology) -> None:
        super().__init__()
        own = {party: deepcopy(network.own(party)) for party in network.members}
        self.bottoms = nn.ModuleList(nn.Sequential(*(own[one][name] for name in network.bottom)) for one in network.shapes)
        ((owner, names),) = network.segments
        self.merge = own[owner]["merge"]
        self.top = nn.Sequential(*(own[owner][name] for name in names))

    def forward(self, blocks: Sequence[Tensor]) -> Tensor:
        merged: Tensor = self.merge([bottom(block) for bottom, block in zip(self.bottoms, blocks, strict=True)])
        logits: Tensor = self.top(merged)
        return logits


def batches(rows: AlignedRows, batch_size: int, device: torch.device) -> Iterator[tuple[list[Tensor], Tensor]]:
    """Pick the same kind of batches from the same tensors, without end; whole batches only."""
    sampler = PositionSampler(len(rows), batch_size, shuffle=True)
    while True:
        for positions in sampler:
            if len(positions) == min(batch_size, len(rows)):
                blocks = [block.index_select(0, positions).to(device) for block in rows.features.values()]
                yield blocks, rows.labels[positions].to(device)
        sampler.epoch += 1


def uncut_unfused(module: SplitModule, rows: AlignedRows, batch_size: int, device: torch.device) -> Loop:
    """The same with torch's default, a loop over the weights."""
    return uncut(module, rows, batch_size, device, fused=False)


def uncut(module: SplitModule, rows: AlignedRows, batch_size: int, device: torch.device, **adam: bool) -> Loop:
    """One network, one optimizer with the settings of the first party."""
    network = Uncut(module.network).to(device)
    optimizer = partial(module.optimizer_of[module.trained[0]], **adam)(network.parameters())
    source = batches(rows, batch_size, device)

    def train(steps: int) -> None:
        for _ in range(steps):
            blocks, labels = next(source)
            optimizer.zero_grad()
            functional.cross_entropy(network(blocks), labels).backward()
            optimizer.step()

    return train


def by_hand(module: SplitModule, rows: AlignedRows, batch_size: int, device: torch.device) -> Loop:
    """An optimizer a party, a detached copy of every embedding, its gradient handed back."""
    network = Uncut(module.network).to(device)
    tops = nn.ModuleList([network.merge, network.top])
    learning = [part for part in [*network.bottoms, tops] if any(True for _ in part.parameters())]
    make = module.optimizer_of[module.trained[0]]
    optimizers = [make(part.parameters()) for part in learning]
    source = batches(rows, batch_size, device)

    def train(steps: int) -> None:
        for _ in range(steps):
            blocks, labels = next(source)
            for optimizer in optimizers:
                optimizer.zero_grad()
            sent = [bottom(block) for bottom, block in zip(network.bottoms, blocks, strict=True)]
            received = [one.detach().clone().requires_grad_() for one in sent]
            functional.cross_entropy(network.top(network.merge(received)), labels).backward()
            torch.autograd.backward(sent, [one.grad.clone() for one in received])  # type: ignore[union-attr]
            for optimizer in optimizers:
                optimizer.step()

    return train
