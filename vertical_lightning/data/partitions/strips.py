"""Images cut into strips."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from vertical_lightning.data.partitions.common import hand_out, images, own_copy, party_names
from vertical_lightning.schema import PartyTable, Table

_DIMENSIONS = {"vertical": -1, "horizontal": -2}


@dataclass(frozen=True)
class Strips:
    """Every party holds one strip of each image; strips are as even as possible, the first ones longer by one pixel.

    Args:
        parties: How many, or their names, from left to right or from top to bottom.
        axis: `"vertical"` strips stand side by side (cut along the width), `"horizontal"` ones lie in a pile.

    >>> from vertical_lightning.data.sources.mnist_sample import MnistSample
    >>> tables = Strips(2).split(MnistSample().load()["test"], label_holder="bob")
    >>> {party: table.features.shape[1:] for party, table in tables.items() if table.features is not None}
    {'alice': torch.Size([1, 28, 14]), 'carol': torch.Size([1, 28, 14])}
    """

    parties: int | Sequence[str] = 2
    axis: Literal["vertical", "horizontal"] = "vertical"

    def __post_init__(self) -> None:
        """Refuse unusable names and an unknown axis before data is loaded."""
        party_names(self.parties)
        if self.axis not in _DIMENSIONS:
            raise ValueError(f"axis={self.axis!r} is no way to cut strips; give one of: {', '.join(_DIMENSIONS)}.")

    def split(self, table: Table, label_holder: str) -> dict[str, PartyTable]:
        """Give every party its strip, and the labels to `label_holder`."""
        parties = party_names(self.parties)
        strips = images(table, "Strips").tensor_split(len(parties), dim=_DIMENSIONS[self.axis])
        pieces = {party: own_copy(strip) for party, strip in zip(parties, strips, strict=True)}
        return hand_out(table, pieces, label_holder)
