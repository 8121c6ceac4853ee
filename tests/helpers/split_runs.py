"""Short real runs of the package: small networks, drawn batches, a trainer that prints and writes nothing."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from functools import partial
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from vertical_lightning.architectures.mlp import Mlp
from vertical_lightning.merges.attention import Attention
from vertical_lightning.merges.concat import Concat
from vertical_lightning.merges.max import Max
from vertical_lightning.merges.mean import Mean
from vertical_lightning.merges.stitch import Stitch
from vertical_lightning.merges.sum import Sum
from vertical_lightning.schema import VerticalBatch
from vertical_lightning.split.split_module import SplitModule
from vertical_lightning.split.topology import Topology

MERGES = {"concat": Concat, "sum": Sum, "mean": Mean, "max": Max, "attention": Attention, "stitch": Stitch}
OPTIMIZERS = {
    "sgd": partial(torch.optim.SGD, lr=0.1, momentum=0.9),
    # A gradient that is zero but for rounding must not be blown up to a full step, as eps=1e-8 would.
    "adam": partial(torch.optim.Adam, lr=0.01, eps=1e-4),
}
TOPOLOGIES: dict[str, tuple[list[str], Any]] = {
    "splitnn": (["bob"], 2),
    "splitnn_holder": (["bob"], 2),
    "u_shaped": (["server", "bob"], [1, 3]),
    "relay": (["relay_1", "relay_2", "bob"], [1, 2, 3]),
    "aggregate": ([], None),
    "centralized": ([], None),
}
WIDTHS = [6, 7, 5, 4]
OUTPUTS = 3
ROWS = 8


def feature_parties(topology: str, count: int) -> list[str]:
    """Name feature parties; where the label holder has features too, it is the last one."""
    holder = {"splitnn_holder": ["bob"], "centralized": ["bob"]}.get(topology, [])
    return [f"party_{number}" for number in range(count - len(holder))] + holder


def mlp_network(topology: str, count: int, merge: str, **options: Any) -> Topology:
    """Build a small network; party number p holds p + 2 columns."""
    shapes = {party: (number + 2,) for number, party in enumerate(feature_parties(topology, count))}
    owners, cut = TOPOLOGIES[topology]
    settings = {"owners": owners, "cut": cut, "merge": MERGES[merge], **options}
    return Topology(Mlp(WIDTHS), shapes, OUTPUTS, "bob", **settings)


def batches(shapes: dict[str, tuple[int, ...]], count: int, dtype: torch.dtype, rows: int = ROWS) -> list[VerticalBatch]:
    """Draw batches; the last one is smaller."""
    generator = torch.Generator().manual_seed(7)
    sizes = [rows] * (count - 1) + [rows // 2 + 1]
    return [
        VerticalBatch(
            {party: torch.randn(size, *shape, generator=generator, dtype=dtype) for party, shape in shapes.items()},
            torch.randint(OUTPUTS, (size,), generator=generator),
            torch.arange(size),
        )
        for size in sizes
    ]


class Recorded(SplitModule):
    """Keeps the loss of every step."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.losses: list[float] = []

    def manual_backward(self, loss: Tensor, *args: Any, **options: Any) -> None:
        self.losses.append(loss.item())
        super().manual_backward(loss, *args, **options)


def quiet_trainer(**options: Any) -> pl.Trainer:
    """Build a real trainer that prints and writes nothing."""
    silent = dict.fromkeys(["logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary"], False)
    return pl.Trainer(**{**silent, "accelerator": "cpu", "max_epochs": 1, **options})


def serve(steps: Sequence[VerticalBatch]) -> DataLoader[VerticalBatch]:
    """Serve ready batches in their order."""
    return DataLoader(list(steps), batch_size=None, generator=torch.Generator())


def fit(module: SplitModule, steps: Sequence[VerticalBatch], **options: Any) -> pl.Trainer:
    """Train under a real trainer."""
    trainer = quiet_trainer(**options)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Lightning advises on validation data and worker counts
        trainer.fit(module, serve(steps))
    return trainer
