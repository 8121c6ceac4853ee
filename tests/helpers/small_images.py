"""A source of few small pictures for tests that must not depend on a data set's size or presence."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from vertical_lightning.schema import Table


@dataclass(frozen=True)
class SmallImages:
    """28×28 noise with a bright row whose height tells the class; takes the arguments of every image source."""

    root: str | None = None
    train_rows: int = 200
    test_rows: int = 80

    def load(self) -> dict[str, Table]:
        return {"train": pictures("train", min(self.train_rows or 200, 200)), "test": pictures("test", 80)}


def pictures(split: str, rows: int) -> Table:
    generator = torch.Generator().manual_seed(rows)
    labels = torch.arange(rows) % 10
    images = torch.randint(0, 100, (rows, 1, 28, 28), generator=generator, dtype=torch.uint8)
    images[torch.arange(rows), 0, labels * 2 + 4] = 255
    return Table([f"{split}-{row}" for row in range(rows)], images, labels, [str(digit) for digit in range(10)])
