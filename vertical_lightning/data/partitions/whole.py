"""Nothing is divided but features and labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from vertical_lightning.data.partitions.common import hand_out, own_copy, party_names
from vertical_lightning.schema import PartyTable, Table


@dataclass(frozen=True)
class Whole:
    """One party holds all columns (or whole images); another one, or the same, holds the labels.

    Args:
        parties: Exactly one feature party.

    >>> from vertical_lightning.data.sources.synthetic import Synthetic
    >>> tables = Whole(["alice"]).split(Synthetic().load()["all"], label_holder="bob")
    >>> tables["alice"].labels is None, tables["bob"].features is None
    (True, True)
    """

    parties: int | Sequence[str] = ("alice",)

    def __post_init__(self) -> None:
        """Refuse several parties."""
        if len(party_names(self.parties)) != 1:
            raise ValueError(f"parties={self.parties!r}: Whole gives everything to one party; give one name.")

    def split(self, table: Table, label_holder: str) -> dict[str, PartyTable]:
        """Give all columns to the one feature party, and the labels to `label_holder`."""
        [party] = party_names(self.parties)
        features = table.features
        piece = features.copy() if isinstance(features, pd.DataFrame) else own_copy(features)
        return hand_out(table, {party: piece}, label_holder)
