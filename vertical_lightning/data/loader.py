"""Aligned tables in memory, and one sampler of positions for all parties."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from vertical_lightning.schema import VerticalBatch
from vertical_lightning.seeds import derive


@dataclass(frozen=True)
class AlignedRows(Dataset[VerticalBatch]):
    """The parties' blocks in one entity order; a tensor of positions picks a whole batch at once.

    Attributes:
        features: One block `[rows, *shape]` a feature party.
        labels: Class numbers `[rows]`.
        rows: Each row's number in its alignment `[rows]`.
    """

    features: Mapping[str, Tensor]
    labels: Tensor
    rows: Tensor

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, positions: Tensor) -> VerticalBatch:
        """Copy the rows at `positions` out of every party's block."""
        features = {party: block.index_select(0, positions) for party, block in self.features.items()}
        return VerticalBatch(features, self.labels[positions], self.rows[positions])


class PositionSampler(Sampler[Tensor]):
    """Yields batches of positions; the order is a function of (seed, epoch) alone, so a resumed run draws the same batches.

    Args:
        rows: How many positions there are.
        batch_size: Positions per batch; the last batch has the rest.
        shuffle: Draw a new order each epoch; otherwise the order of the alignment, every epoch.
        seed: Seed of the order.

    >>> list(PositionSampler(rows=3, batch_size=2, shuffle=False))
    [tensor([0, 1]), tensor([2])]
    """

    def __init__(self, rows: int, batch_size: int, shuffle: bool, seed: int = 0) -> None:
        self.rows = rows
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.seed = seed
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch's order; Lightning calls this."""
        self.epoch = epoch

    def __len__(self) -> int:
        return -(-self.rows // self.batch_size)

    def __iter__(self) -> Iterator[Tensor]:
        order = torch.arange(self.rows)
        if self.shuffle:
            generator = torch.Generator().manual_seed(derive("order", self.seed, self.epoch))
            order = torch.randperm(self.rows, generator=generator)
        yield from torch.split(order, self.batch_size)


def loader(rows: AlignedRows, sampler: PositionSampler, workers: int = 0) -> DataLoader[VerticalBatch]:
    """Serve whole batches: with `batch_size=None` torch passes each tensor of positions straight to `AlignedRows`."""
    # The generator keeps DataLoader from drawing its workers' base seed from the global one (law 6).
    return DataLoader(
        rows,
        sampler=sampler,
        batch_size=None,
        num_workers=workers,
        persistent_workers=workers > 0,
        generator=torch.Generator(),
    )
