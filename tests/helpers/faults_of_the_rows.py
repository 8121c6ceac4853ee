"""Faults of the rows: each function plants one, through `monkeypatch.setattr`."""

from __future__ import annotations

from collections.abc import Callable

import torch

from vertical_lightning.data.datamodule import VerticalDataModule
from vertical_lightning.data.loader import AlignedRows, PositionSampler
from vertical_lightning.schema import PartyTable, VerticalBatch

Patch = Callable[[object, str, object], None]


def positions_of_another_party(patch: Patch) -> None:
    def aligned(self: VerticalDataModule, name: str, rows: torch.Tensor | slice = slice(None)) -> dict[str, PartyTable]:
        positions = self.alignments[name].positions
        tables = self.tables[name]
        other = {"carol": "alice"}
        return {party: table.take(positions[other.get(party, party)][rows]) for party, table in tables.items()}

    patch(VerticalDataModule, "aligned", aligned)


def served(change: Callable[[VerticalBatch], VerticalBatch]) -> Callable[[Patch], None]:
    def fault(patch: Patch) -> None:
        honest = AlignedRows.__getitem__
        patch(AlignedRows, "__getitem__", lambda self, positions: change(honest(self, positions)))

    return fault


def ragged_batch_dropped(patch: Patch) -> None:
    honest = PositionSampler.__iter__
    patch(PositionSampler, "__iter__", lambda self: (batch for batch in honest(self) if len(batch) == self.batch_size))


def rows_drawn_with_replacement(patch: Patch) -> None:
    def draw(self: PositionSampler) -> object:
        return iter(torch.randint(self.rows, (self.rows,), generator=torch.Generator()).split(self.batch_size))

    patch(PositionSampler, "__iter__", draw)


def one_block_rolled(batch: VerticalBatch) -> VerticalBatch:
    return batch._replace(features={**batch.features, "carol": batch.features["carol"].roll(1, 0)})
