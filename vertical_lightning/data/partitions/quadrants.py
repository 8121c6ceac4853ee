"""Images cut crosswise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vertical_lightning.data.partitions.common import hand_out, images, own_copy, party_names
from vertical_lightning.schema import PartyTable, Table


@dataclass(frozen=True)
class Quadrants:
    """Each of four parties holds one quarter of each image; of an odd side the first half is longer by one pixel.

    Args:
        parties: 4, or four names: upper left, upper right, lower left, lower right.

    >>> from vertical_lightning.data.sources.mnist_sample import MnistSample
    >>> tables = Quadrants().split(MnistSample().load()["test"], label_holder="bob")
    >>> list(tables), tables["erin"].features.shape
    (['alice', 'carol', 'dave', 'erin', 'bob'], torch.Size([2000, 1, 14, 14]))
    """

    parties: int | Sequence[str] = 4

    def __post_init__(self) -> None:
        """Refuse another number of parties than four."""
        if len(party_names(self.parties)) != 4:
            raise ValueError(f"parties={self.parties!r}: an image has four quadrants; give 4, or four names.")

    def split(self, table: Table, label_holder: str) -> dict[str, PartyTable]:
        """Give every party its quarter, and the labels to `label_holder`."""
        halves = images(table, "Quadrants").tensor_split(2, dim=-2)
        quarters = [own_copy(quarter) for half in halves for quarter in half.tensor_split(2, dim=-1)]
        return hand_out(table, dict(zip(party_names(self.parties), quarters, strict=True)), label_holder)
