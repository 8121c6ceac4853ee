"""Columns divided evenly, neighbors together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from vertical_lightning.data.partitions.common import column_count, hand_out, party_names, take_columns
from vertical_lightning.schema import PartyTable, Table


@dataclass(frozen=True)
class EvenColumns:
    """Every party holds consecutive columns, as evenly as possible, the first parties one more.

    An image's columns are its pixels, row after row; a party gets them flat, `[rows, columns]`.

    Args:
        parties: How many, or their names, in column order.

    >>> from vertical_lightning.data.sources.synthetic import Synthetic
    >>> tables = EvenColumns(2).split(Synthetic(columns=3).load()["all"], label_holder="alice")
    >>> {party: list(table.features) for party, table in tables.items()}
    {'alice': ['column_0', 'column_1'], 'carol': ['column_2']}
    """

    parties: int | Sequence[str] = 2

    def __post_init__(self) -> None:
        """Refuse unusable names before data is loaded."""
        party_names(self.parties)

    def split(self, table: Table, label_holder: str) -> dict[str, PartyTable]:
        """Give every party its columns, and the labels to `label_holder`."""
        parties = party_names(self.parties)
        groups = torch.arange(column_count(table.features)).tensor_split(len(parties))
        pieces = {party: take_columns(table.features, group) for party, group in zip(parties, groups, strict=True)}
        return hand_out(table, pieces, label_holder)
