"""Where the parties' tables come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from vertical_lightning.schema import PartyTable, Table


@dataclass(frozen=True)
class PartyTables:
    """Who holds what, before alignment.

    Attributes:
        tables: By table (`train` and `test` where there is an official test split, else `all`) and party.
        classes: The name of each class number; empty where labels are numbers.
        whole: By table, the data set that the parties were made from; empty where every party brought its own.
    """

    tables: Mapping[str, Mapping[str, PartyTable]]
    classes: Sequence[str]
    whole: Mapping[str, Table] = field(default_factory=dict)


@runtime_checkable
class PartySource(Protocol):
    """Where the parties' tables come from: a simulation on one data set, or every party's own file."""

    def load(self, label_holder: str) -> PartyTables:
        """Return what each party holds."""

    def load_own(self, party: str, label_holder: str) -> tuple[PartyTables, list[str]]:
        """Return what one party holds, where each is in a process of its own, and all parties that bring rows, in order."""

    def example(self, label_holder: str, rows: int) -> tuple[PartyTables, int, bool]:
        """Return rows to look at, not aligned; how many rows there are to train on; and whether they are real or noise."""
