"""Who holds what, and which rows are one entity: loading, and private set intersection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytorch_lightning as pl
from torch import Tensor

from vertical_lightning.data.partitions.common import check_baseline, check_parts, pool
from vertical_lightning.data.party_source import PartySource
from vertical_lightning.data.row_order import ordered, row_key
from vertical_lightning.psi.identifiers import canonical
from vertical_lightning.schema import Aligner, Alignment, PartyTable, Table


class AlignedTables(pl.LightningDataModule):
    """Loads each party's table and aligns them; subclasses use the rows.

    Args:
        holdings: Who holds what.
        aligner: Private set intersection.
        label_holder: The party with the labels.
        baseline: As in `VerticalDataModule`.
        row_seed: Seed of the order of rows, and of splits.

    Attributes:
        tables: By table (`train`, `test` or `all`) and party: what each party holds; without columns after `release`.
        classes: The names of the classes, known after `load`; empty where labels are numbers.
        whole: By table, the data set that the parties were made from, if any.
        alignments: By table: the result of private set intersection.
    """

    def __init__(self, holdings: PartySource, aligner: Aligner, label_holder: str, baseline: str | None, row_seed: int) -> None:
        super().__init__()
        self.holdings, self.aligner, self.label_holder, self.baseline = holdings, aligner, label_holder, baseline
        self.row_key = row_key(row_seed)
        self.tables: Mapping[str, Mapping[str, PartyTable]] = {}
        self.classes: Sequence[str] = ()
        self.whole: Mapping[str, Table] = {}
        self.alignments: dict[str, Alignment] = {}

    def prepare_data(self) -> None:
        """Load and align; the result is kept, because Lightning calls this again for every stage."""
        self.load()
        self.align()

    def take_over(self, other: AlignedTables) -> None:
        """Take what a module of the same holdings and label holder has loaded."""
        self.tables, self.classes, self.whole = other.tables, other.classes, other.whole

    def load(self) -> None:
        """Load what each party holds; does nothing the second time.

        Raises:
            ValueError: If no party or several hold labels, or nobody holds features.
        """
        if self.tables:
            return
        held = self.holdings.load(self.label_holder)
        self.check_tables(held.tables)
        self.tables, self.classes, self.whole = held.tables, held.classes, held.whole

    def check_tables(self, tables: Mapping[str, Mapping[str, PartyTable]]) -> None:
        """Refuse tables that cannot be trained on."""
        for parts in tables.values():
            check_parts(parts)

    def align(self) -> None:
        """Find the entities that all parties share, table by table; does nothing the second time.

        Raises:
            ValueError: If `baseline` is no feature party, or no entity is common.
        """
        if self.alignments:
            return
        for tables in self.tables.values():
            check_baseline(self.baseline, tables)
        for name, tables in self.tables.items():
            ids = {party: table.ids for party, table in tables.items()}
            self.alignments[name] = self.aligner.align(ids, self.label_holder)
        self.order()

    def order(self) -> None:
        """Put the common rows into an order that tells nothing of their ids."""
        self.alignments = {
            name: ordered(alignment, self.common_ids(name), self.row_key) for name, alignment in self.alignments.items()
        }

    def release(self) -> None:
        """Release the unscaled columns: after `setup` only pictures of them need them."""
        self.tables = {
            name: {party: replace(table, features=None) for party, table in parts.items()}
            for name, parts in self.tables.items()
        }
        self.whole = {}

    def aligned(self, name: str, rows: Tensor | slice = slice(None)) -> dict[str, PartyTable]:
        """Return every party's rows of one table in the common order: all, or the given ones."""
        positions = self.alignments[name].positions
        parts = {party: table.take(positions[party][rows]) for party, table in self.tables[name].items()}
        return parts if self.baseline is None else pool(self.baseline, parts, self.label_holder, self.whole.get(name))

    def common_ids(self, name: str, rows: Tensor | slice = slice(None)) -> list[bytes]:
        """Return the canonical ids of one table's common entities, all or the given ones, in the common order."""
        party, positions = next(iter(self.alignments[name].positions.items()))  # anyone's: they are the same
        ids, wanted = self.tables[name][party].ids, positions[rows].tolist()
        return canonical((ids[row] for row in wanted), party) if wanted else []
