"""Aligned tables in memory, and one sampler of positions for all parties."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from vertical_lightning.schema import VerticalBatch
from vertical_lightning.split.seeding import derive


@dataclass(frozen=True)
class AlignedRows(Dataset[VerticalBatch]):
    """The parties' blocks in one entity order; a tensor of positions picks a whole batch at once.

    Attributes:
        features: One block `[rows, *shape]` a feature party.
        labels: Class numbers, or numbers to predict `[rows]`.
        rows: Each row's number in its alignment `[rows]`.
    """

    features: Mapping[str, Tensor]
    labels: Tensor
    rows: Tensor

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, positions: Tensor) -> VerticalBatch:
        """Copy the rows at `positions` out of every party's block."""
        features = {party: pick(block, positions) for party, block in self.features.items()}
        return VerticalBatch(features, pick(self.labels, positions), self.rows[positions])

    def to(self, device: torch.device) -> AlignedRows:
        """Move all rows at once, as one batch."""
        return AlignedRows(*VerticalBatch(dict(self.features), self.labels, self.rows).to(device))


def pick(block: Tensor, positions: Tensor) -> Tensor:
    """Copy rows; of a party in another process there is only their shape.

    >>> pick(torch.empty(9, 2, device="meta"), torch.tensor([3, 4, 8])).shape
    torch.Size([3, 2])
    """
    return block.new_empty(len(positions), *block.shape[1:]) if block.is_meta else block.index_select(0, positions)


def check_batch(batch_size: int, rows: int) -> None:
    """Refuse a batch that the aligned training set cannot fill.

    Raises:
        ValueError: No row is left to train on, or fewer than a batch has.
    """
    if not rows:
        raise ValueError(
            "no aligned row is left to train on: val and test took all. Bring parties with more entities in common, or "
            "lower datamodule.val_fraction and datamodule.test_fraction."
        )
    if not 1 <= batch_size <= rows:
        raise ValueError(
            f"batch_size={batch_size}, but {rows} aligned rows are left to train on. "
            f"Choose a batch size from 1 to {rows}, or a source with more common rows."
        )


class PositionSampler(Sampler[Tensor]):
    """Yields batches of positions; the order is a function of (seed, epoch) alone, so a resumed run draws the same batches.

    Args:
        rows: How many positions there are.
        batch_size: Positions per batch; the last batch has the rest, if any.
        shuffle: Draw a new order each epoch; otherwise the order of the alignment, every epoch.
        seed: Seed of the order.
        device: Where the rows are that are picked by them.
        drop_last: Leave out the last batch where it has fewer rows than the others.

    Attributes:
        epoch: Whose order is drawn; Lightning sets it.
        skip: How many batches to leave out at the beginning.

    >>> list(PositionSampler(rows=3, batch_size=2, shuffle=False))
    [tensor([0, 1]), tensor([2])]
    """

    def __init__(
        self,
        rows: int,
        batch_size: int,
        shuffle: bool,
        seed: int = 0,
        device: torch.device | str = "cpu",
        drop_last: bool = False,
    ) -> None:
        self.rows = rows
        self.drop_last = drop_last
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.seed = seed
        self.device = device
        self.epoch = 0
        self.skip = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch's order; Lightning calls this."""
        self.epoch = epoch

    def __len__(self) -> int:
        return self.rows // self.batch_size if self.drop_last else -(-self.rows // self.batch_size)

    def __iter__(self) -> Iterator[Tensor]:
        if not self.rows:
            return  # torch would split nothing into one empty batch
        order = torch.arange(self.rows)
        if self.shuffle:
            generator = torch.Generator().manual_seed(derive("order", self.seed, self.epoch))
            order = torch.randperm(self.rows, generator=generator)
        yield from torch.split(order.to(self.device), self.batch_size)[self.skip : len(self)]


class AlignedLoader(DataLoader[VerticalBatch]):
    """Serves whole batches, and goes on in the middle of an epoch after a checkpoint.

    Args:
        rows: The aligned rows.
        sampler: Which rows make a batch.
        workers: Loader processes; 0 is fastest for tensors in memory.
    """

    sampler: PositionSampler

    def __init__(self, rows: AlignedRows, sampler: PositionSampler, workers: int = 0) -> None:
        super().__init__(
            rows,
            sampler=sampler,
            batch_size=None,  # torch passes each tensor of positions straight to AlignedRows
            num_workers=workers,
            persistent_workers=workers > 0,
            generator=torch.Generator(),  # otherwise the workers' seed would come from the global generator (law 6)
        )
        self.served = 0
        self.resumed: dict[str, int] = {}

    def __iter__(self) -> Iterator[VerticalBatch]:  # type: ignore[override]
        # A generator: nothing is drawn before the first batch is asked for. By then Lightning has said which epoch it is.
        resumed, self.resumed = self.resumed, {}
        self.served = self.sampler.skip = resumed["served"] if resumed.get("epoch") == self.sampler.epoch else 0
        if self.served and resumed["batch_size"] != self.sampler.batch_size:
            raise ValueError(
                f"the checkpoint lies in the middle of an epoch of batches of {resumed['batch_size']} rows, not "
                f"{self.sampler.batch_size}. Resume with batch_size={resumed['batch_size']}."
            )
        # Without workers torch's iterator would add nothing but its own time.
        for batch in super().__iter__() if self.num_workers else map(self.dataset.__getitem__, self.sampler):
            self.served += 1
            yield batch

    def state_dict(self) -> dict[str, int]:
        """Where the epoch is; Lightning keeps it in checkpoints."""
        return {"epoch": self.sampler.epoch, "served": self.served, "batch_size": self.sampler.batch_size}

    def load_state_dict(self, state_dict: dict[str, int]) -> None:
        """Go on from a checkpoint."""
        self.resumed = state_dict
