"""Columns divided by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from vertical_lightning.data.partitions.common import check_columns, hand_out, party_names
from vertical_lightning.schema import PartyTable, Table


@dataclass(frozen=True)
class NamedColumns:
    """Every party holds the columns listed under its name, in that order.

    Args:
        groups: Party → columns; every column of the data set at exactly one party.

    >>> from vertical_lightning.data.sources.synthetic import Synthetic
    >>> partition = NamedColumns({"bank": ["column_1"], "bureau": ["column_0", "column_2"]})
    >>> tables = partition.split(Synthetic(columns=3).load()["all"], label_holder="bank")
    >>> {party: list(table.features) for party, table in tables.items()}
    {'bank': ['column_1'], 'bureau': ['column_0', 'column_2']}
    """

    groups: Mapping[str, Sequence[str]]

    def __post_init__(self) -> None:
        """Refuse unusable names before data is loaded."""
        party_names(list(self.groups))

    def split(self, table: Table, label_holder: str) -> dict[str, PartyTable]:
        """Give every party its columns, and the labels to `label_holder`.

        Raises:
            ValueError: The table holds images, or the groups do not fit its columns.
        """
        frame = table.features
        if not isinstance(frame, pd.DataFrame):
            raise ValueError(
                "NamedColumns divides named columns, but this data set holds images; "
                "give a partition for images: strips, quadrants, even_columns or random_columns."
            )
        check_columns(self.groups, list(frame.columns))
        pieces = {party: frame[list(columns)].copy() for party, columns in self.groups.items()}
        return hand_out(table, pieces, label_holder)
