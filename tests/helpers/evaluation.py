"""Evaluation as a function that raises: no dropout, running statistics, and a network that stays as it was."""

from __future__ import annotations

from functools import partial

import torch
from split_runs import MERGES, OPTIMIZERS, OUTPUTS, Recorded, batches, fit, serve
from torch import Tensor, nn

from vertical_lightning.architectures.dropout import Dropout
from vertical_lightning.schema import Shape, StageFactory
from vertical_lightning.split.topology import Topology


class Normed:
    """A row of stages with batch norm and dropout, which behave otherwise in evaluation."""

    def stages(self, outputs: int) -> dict[str, StageFactory]:
        def stage(shape: Shape, width: int) -> nn.Module:
            return nn.Sequential(nn.Linear(shape[0], width), nn.BatchNorm1d(width), nn.ReLU(), Dropout(0.5))

        return {
            "fc1": partial(stage, width=6),
            "fc2": partial(stage, width=5),
            "head": lambda shape: nn.Linear(shape[0], outputs),
        }


def check_evaluation() -> None:
    """Train, then evaluate; the loss must be that of the formulas of evaluation, without dropout, on running statistics.

    Raises:
        AssertionError: It is not, or evaluation changed the network.
    """
    shapes = {"party_0": (2,), "party_1": (3,)}
    network = Topology(Normed(), shapes, OUTPUTS, "bob", owners=["bob"], cut=1, merge=MERGES["sum"])
    steps = batches(shapes, 3, torch.float32)
    trainer = fit(module := Recorded(network, OPTIMIZERS["sgd"]), steps)
    before = {name: torch.as_tensor(value).clone() for name, value in state(network).items()}
    [logged] = trainer.validate(module, serve(steps), verbose=False)

    def normed(party: str, name: str, x: Tensor) -> Tensor:
        linear, norm, *_ = network.own(party)[name]
        x = x @ linear.weight.T + linear.bias
        x = (x - norm.running_mean) / (norm.running_var + norm.eps).sqrt() * norm.weight + norm.bias
        return x.clamp(min=0)

    total = 0.0
    for batch in steps:
        merged = sum(normed(party, "fc1", block) for party, block in batch.features.items())
        logits = network.own("bob")["head"](normed("bob", "fc2", torch.as_tensor(merged)))
        total += float(-logits.log_softmax(1)[batch.rows, batch.labels].sum())
    expected = total / sum(len(batch.labels) for batch in steps)
    assert abs(logged["val/loss"] - expected) < 1e-6, f"evaluated {logged['val/loss']}, not {expected}"
    for name, value in state(network).items():
        assert torch.equal(torch.as_tensor(value), before[name]), f"evaluation changed {name}"


def state(network: Topology) -> dict[str, Tensor | int]:
    """Collect parameters, buffers, and the steps that dropout has made."""
    extra = {f"{name} step": module.step for name, module in network.named_modules() if isinstance(module, Dropout)}
    return {**dict(network.named_parameters()), **dict(network.named_buffers()), **extra}
