"""Which entities each party happens to hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from vertical_lightning.schema import PartyTable
from vertical_lightning.split.seeding import derive


@dataclass(frozen=True)
class Overlap:
    """Every party, the label holder too, loses rows of its own and keeps the others in an order of its own.

    That is what private set intersection has to mend. With p parties about `(1 - missing) ** p` of the entities remain
    in common.

    Args:
        missing: The fraction of rows that each party loses, in [0, 1); rounded to whole rows, and one always remains.
        shuffle: Whether each party's rows come in an order of its own; otherwise in the data set's order. The same rows
            remain either way.

    >>> alice = PartyTable(ids=["a", "b", "c", "d"])
    >>> len(Overlap(missing=0.25).apply({"alice": alice}, seed=0, split="train")["alice"])
    3
    """

    missing: float = 0.01
    shuffle: bool = True

    def __post_init__(self) -> None:
        """Refuse a fraction that leaves nothing."""
        if not 0 <= self.missing < 1:
            raise ValueError(f"missing={self.missing} is no fraction of rows to lose; give at least 0 and less than 1.")

    def apply(self, tables: Mapping[str, PartyTable], *, seed: int, split: str) -> dict[str, PartyTable]:
        """Return each party's remaining rows, copied.

        A party's rows depend on (seed, split, party) alone: another party more or less changes nothing for it.
        """
        return {party: self._remaining(table, derive("overlap", seed, split, party)) for party, table in tables.items()}

    def _remaining(self, table: PartyTable, seed: int) -> PartyTable:
        kept = max(len(table) - round(self.missing * len(table)), min(len(table), 1))
        rows = torch.randperm(len(table), generator=torch.Generator().manual_seed(seed))[:kept]
        return table.take(rows if self.shuffle else rows.sort().values)
