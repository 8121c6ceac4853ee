"""Parties made out of one data set, for research on sets that never lay in different hands."""

from __future__ import annotations

from dataclasses import dataclass

from vertical_lightning.data.overlap import Overlap
from vertical_lightning.data.party_source import PartyTables
from vertical_lightning.schema import Partition, Source, Table


@dataclass(frozen=True)
class Simulation:
    """Loads a data set, hands its columns and labels out to parties, and lets each party lose rows of its own.

    Args:
        source: The data set.
        partition: Who holds which columns.
        overlap: Which entities each party happens to hold, and in which order.
        seed: Seed of the overlap.

    >>> from vertical_lightning.data.partitions.even_columns import EvenColumns
    >>> from vertical_lightning.data.sources.synthetic import Synthetic
    >>> held = Simulation(Synthetic(rows=100), EvenColumns(parties=2), Overlap(missing=0.1)).load("bob")
    >>> {party: len(table) for party, table in held.tables["all"].items()}
    {'alice': 90, 'carol': 90, 'bob': 90}
    """

    source: Source
    partition: Partition
    overlap: Overlap
    seed: int = 0

    def load(self, label_holder: str) -> PartyTables:
        """Return what each party holds."""
        whole = self.source.load()
        parts = {name: self.partition.split(table, label_holder) for name, table in whole.items()}
        tables = {name: self.overlap.apply(part, seed=self.seed, split=name) for name, part in parts.items()}
        return PartyTables(tables, next(iter(whole.values())).classes, whole)

    def load_own(self, party: str, label_holder: str) -> tuple[PartyTables, list[str]]:
        """Make all parties and forget all but one: what a simulation of processes can do."""
        held = self.load(label_holder)
        parts = {
            name: {owner: table for owner, table in tables.items() if owner == party} for name, tables in held.tables.items()
        }
        return PartyTables(parts, held.classes if party == label_holder else ()), list(next(iter(held.tables.values())))

    def example(self, label_holder: str, rows: int) -> tuple[PartyTables, int, bool]:
        """Return rows to look at, all parties', the number of training rows, and whether they are real.

        A source that may have to download offers noise of the right shape; the others are in the package.
        """
        table: Table
        if hasattr(self.source, "example"):
            table, count, real = self.source.example(rows)
        else:
            tables = self.source.load()
            table = tables["train"] if "train" in tables else tables["all"]
            count, real = len(table), True
        return PartyTables({"all": self.partition.split(table, label_holder)}, table.classes), count, real
