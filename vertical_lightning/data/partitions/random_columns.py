"""Columns divided evenly, drawn by lot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from vertical_lightning.data.partitions.common import column_count, hand_out, party_names, take_columns
from vertical_lightning.schema import PartyTable, Table
from vertical_lightning.split.seeding import derive


@dataclass(frozen=True)
class RandomColumns:
    """Every party holds columns drawn by lot, as evenly as possible, the first parties one more; in the table's order.

    An image's columns are its pixels, row after row; a party gets them flat, `[rows, columns]`.

    Args:
        parties: How many, or their names.
        seed: Fixes the draw: the same for every split of a data set, and for every data set with as many columns.

    >>> from vertical_lightning.data.sources.synthetic import Synthetic
    >>> tables = RandomColumns(2, seed=1).split(Synthetic(columns=4).load()["all"], label_holder="bob")
    >>> sorted([*tables["alice"].features, *tables["carol"].features])
    ['column_0', 'column_1', 'column_2', 'column_3']
    """

    parties: int | Sequence[str] = 2
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse unusable names before data is loaded."""
        party_names(self.parties)

    def split(self, table: Table, label_holder: str) -> dict[str, PartyTable]:
        """Give every party its columns, and the labels to `label_holder`."""
        parties = party_names(self.parties)
        generator = torch.Generator().manual_seed(derive("columns", self.seed))
        drawn = torch.randperm(column_count(table.features), generator=generator).tensor_split(len(parties))
        groups = [group.sort().values for group in drawn]
        pieces = {party: take_columns(table.features, group) for party, group in zip(parties, groups, strict=True)}
        return hand_out(table, pieces, label_holder)
