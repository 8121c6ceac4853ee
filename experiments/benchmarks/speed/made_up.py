"""Images of noise: what a step costs does not depend on what they show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from vertical_lightning.data.files.entity_ids import entity_ids
from vertical_lightning.schema import Table


@dataclass(frozen=True)
class Images:
    """Byte images with ten classes.

    Args:
        size: Channels, height and width.
        rows: How many.
    """

    size: Sequence[int]
    rows: int = 12_000

    def load(self) -> dict[str, Table]:
        generator = torch.Generator().manual_seed(0)
        images = torch.randint(256, (self.rows, *self.size), generator=generator, dtype=torch.uint8)
        labels = torch.randint(10, (self.rows,), generator=generator)
        return {
            "all": Table(entity_ids("made up", "all", range(self.rows)), images, labels, [str(digit) for digit in range(10)])
        }
