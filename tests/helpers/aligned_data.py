"""Small real pipelines from source to batches, and law 3 as a function that raises.

Every party's block is traced back to entities twice: through the party's own table and positions, and through its numbers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vertical_lightning.data.datamodule import VerticalDataModule
from vertical_lightning.data.files.entity_ids import entity_ids
from vertical_lightning.data.overlap import Overlap
from vertical_lightning.data.partitions.even_columns import EvenColumns
from vertical_lightning.data.partitions.strips import Strips
from vertical_lightning.data.simulation import Simulation
from vertical_lightning.data.sources.synthetic import Synthetic
from vertical_lightning.psi.openmined import OpenMined
from vertical_lightning.psi.star import Star
from vertical_lightning.schema import PartyTable, Table, VerticalBatch

CLASSES = 3
WIDTH = 6


class Numbered:
    """Images in whose every column of pixels stands the entity's number; the label is the number modulo `CLASSES`.

    The ids say nothing of the numbers, and rows come in another order than they do.
    """

    def __init__(self, rows: int = 200, test_rows: int = 0) -> None:
        self.rows = {"train": rows, "test": test_rows} if test_rows else {"all": rows}

    def load(self) -> dict[str, Table]:
        tables, start = {}, 0
        for name, rows in self.rows.items():
            numbers = start + torch.randperm(rows, generator=torch.Generator().manual_seed(rows))
            column = torch.stack([numbers // 256, numbers % 256], dim=1).to(torch.uint8)
            images = column.reshape(rows, 1, 2, 1).repeat(1, 1, 2, WIDTH)
            ids = entity_ids("numbered", "any", numbers.tolist())
            tables[name] = Table(ids, images, numbers % CLASSES, [f"class {number}" for number in range(CLASSES)])
            start += rows
        return tables


def numbers(block: Tensor) -> Tensor:
    """Read the entities' numbers from any party's scaled strips `[batch, 1, 4, width]`."""
    pixels = (block * 255).round().long()
    assert (pixels == pixels[..., :1]).all() and (pixels[:, :, :2] == pixels[:, :, 2:]).all()
    return pixels[:, 0, 0, 0] * 256 + pixels[:, 0, 1, 0]


def numbered(parties: int = 3, rows: int = 200, test_rows: int = 0, **options: Any) -> VerticalDataModule:
    """Build the pipeline whose rows can be traced; not yet set up."""
    settings = {"batch_size": 16, "seed": 5, **options}
    holdings = Simulation(Numbered(rows, test_rows), Strips(parties), Overlap(missing=0.05), settings["seed"])
    return VerticalDataModule(holdings, Star(OpenMined()), **settings)


def synthetic(parties: int = 2, rows: int = 200, classes: int = 2, **options: Any) -> VerticalDataModule:
    """Build the pipeline of a table of numbers; not yet set up."""
    source = Synthetic(rows, columns=6, classes=classes)
    holdings = Simulation(source, EvenColumns(parties), Overlap(0.05), options.get("seed", 0))
    return VerticalDataModule(holdings, Star(OpenMined()), **{"batch_size": 16, **options})


def global_state() -> str:
    """Digest torch's and numpy's global states. Python's own moves in tests: beartype draws which items to look at."""
    return digest([repr(torch.get_rng_state().tolist()), repr(np.random.get_state(legacy=True))])


def digest(ids: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(ids).encode()).hexdigest()


def digests(batch: VerticalBatch, tables: Mapping[str, PartyTable], positions: Mapping[str, Tensor]) -> dict[str, str]:
    """Digest the ids of a batch's entities at every party, from that party's own table, positions and block."""
    found = {}
    for party, table in tables.items():
        own = [table.ids[row] for row in positions[party][batch.rows].tolist()]
        found[f"{party}: ids"] = digest(own)
        if party in batch.features:
            read = numbers(batch.features[party])
            found[f"{party}: features"] = digest(entity_ids("numbered", "any", read.tolist()))
            assert (read % CLASSES == batch.labels).all(), f"labels are not those of {party}'s rows"
    return found


def check_rows(data: VerticalDataModule, batches: Iterable[VerticalBatch], name: str = "all", split: str = "train") -> None:
    """In every batch, row i is one entity at every party, and the batches hold every row of the split once.

    Raises:
        AssertionError: They do not.
    """
    served = []
    for batch in batches:
        found = digests(batch, data.tables[name], data.alignments[name].positions)
        assert len(set(found.values())) == 1, f"row i is not one entity everywhere: {found}"
        served += batch.rows.tolist()
    assert sorted(served) == sorted(data.splits[split].rows.tolist()), "not every row was served once"
