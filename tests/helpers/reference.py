"""The uncut network: one plain module, one autograd graph, one optimizer, one loop. Slow, and easy to see to be right."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn


class Uncut(nn.Module):
    """One copy of the bottom per block, a merge written out, and the rest; each stage is a layer and what follows it.

    >>> uncut = Uncut([[nn.Linear(2, 3)], [nn.Linear(1, 3)]], "sum", [nn.Linear(3, 4)], None)
    >>> uncut([torch.ones(5, 2), torch.ones(5, 1)]).shape
    torch.Size([5, 4])
    """

    def __init__(
        self, bottoms: Sequence[Sequence[nn.Module]], merge: str, rest: Sequence[nn.Module], query: Tensor | None
    ) -> None:
        super().__init__()
        self.bottoms = nn.ModuleList(nn.ModuleList(bottom) for bottom in bottoms)
        self.rest = nn.ModuleList(rest)
        self.merge = merge
        self.query = nn.Parameter(query) if query is not None else None

    def forward(self, blocks: Sequence[Tensor]) -> Tensor:
        embeddings = [run(bottom, block) for bottom, block in zip(self.bottoms, blocks, strict=True)]
        return run(self.rest, merged(self.merge, embeddings, self.query))


def run(stages: nn.ModuleList, tensor: Tensor) -> Tensor:
    for stage in stages:
        tensor = stage(tensor)
    return tensor


def merged(merge: str, embeddings: Sequence[Tensor], query: Tensor | None) -> Tensor:
    """Every merge once more, from its definition."""
    first, *others = embeddings
    if merge == "concat":
        return torch.cat([first, *others], dim=1)
    if merge == "stitch":
        return torch.cat([first, *others], dim=3)
    if merge == "max":
        for other in others:
            first = torch.where(other > first, other, first)
        return first
    weights: Sequence[Tensor | float] = [1.0] * len(embeddings)
    if merge == "mean":
        weights = [1.0 / len(embeddings)] * len(embeddings)
    if merge == "attention":
        assert query is not None
        dimension = math.prod(first.shape[1:])
        scores = [(one * own).sum(1, keepdim=True) / dimension**0.5 for one, own in zip(embeddings, query, strict=True)]
        total = sum(score.exp() for score in scores)
        weights = [score.exp() / total for score in scores]
    result = weights[0] * first
    for weight, other in zip(weights[1:], others, strict=True):
        result = result + weight * other
    return result


def train(
    uncut: Uncut,
    steps: Sequence[tuple[Sequence[Tensor], Tensor]],
    optimizer: torch.optim.Optimizer,
    groups: Sequence[Sequence[nn.Parameter]] = (),
    clip: float = math.inf,
    weights: Sequence[float] = (),
) -> list[float]:
    """Train in the ordinary way, each group's gradient clipped by its own norm, and return the losses."""
    losses = []
    for blocks, labels in steps:
        optimizer.zero_grad()
        logits = uncut(blocks)
        loss = nn.CrossEntropyLoss(logits.new_tensor(weights) if weights else None)(logits, labels)
        loss.backward()
        for group in groups:
            gradients = [weight.grad for weight in group if weight.grad is not None]
            norm = math.sqrt(sum(float((gradient**2).sum()) for gradient in gradients))
            for gradient in gradients:
                gradient *= min(1.0, clip / (norm + 1e-6))
        optimizer.step()
        losses.append(loss.item())
    return losses


def mlp_layers(widths: Sequence[int], logits: bool) -> list[nn.Module]:
    """Linear layers with ReLU after each, but not after the one that ends in logits."""
    layers: list[nn.Module] = [nn.Sequential(nn.Linear(before, after), nn.ReLU()) for before, after in pairwise(widths)]
    return [*layers[:-1], nn.Linear(*widths[-2:])] if logits and layers else layers


def lenet_layers() -> list[nn.Module]:
    """LeNet's two convolutions for gray images; what follows them depends on the width of what they are given."""
    first = nn.Sequential(nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2))
    return [first, nn.Sequential(nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2))]


def lenet_rest(flat: int, outputs: int) -> list[nn.Module]:
    """LeNet's three linear layers."""
    return [nn.Sequential(nn.Flatten(), layer) for layer in mlp_layers([flat, 120, 84, outputs], logits=True)]
