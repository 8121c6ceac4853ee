"""The data module of a process in which one party is: its own rows, and the shapes of all others'."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor

from vertical_lightning.data.datamodule import VerticalDataModule
from vertical_lightning.data.loader import AlignedRows
from vertical_lightning.data.partitions.common import check_labels
from vertical_lightning.schema import PartyTable
from vertical_lightning.split.task import Elsewhere, Task


class Others(Protocol):
    """The other parties, each in a process of its own."""

    def gather(self, what: str, among: Sequence[str] | None = None, **facts: Any) -> dict[str, dict[str, Any]]:
        """Tell all others, or the given ones, these facts, and return every party's."""

    def agree(self, what: str, among: Sequence[str] | None = None, **facts: Any) -> dict[str, Any]:
        """Stop the run unless all, or the given parties, say the same, and return it; None accepts the others' value."""

    def channels(self, parties: list[str]) -> Mapping[str, Any]:
        """Return the channels over which this party aligns with those that bring rows."""


class PartyDataModule(VerticalDataModule):
    """Loads one party's own table, aligns it with the others', and serves batches in which their rows are shapes.

    A party without rows, such as a server, takes no part in the alignment; it learns how many rows there are.

    Args:
        party: The party.
        settings: Those of `VerticalDataModule`.

    Attributes:
        named: All parties that bring rows, in one order everywhere; known after `load`.
    """

    def __init__(self, *positional: Any, party: str, **settings: Any) -> None:
        super().__init__(*positional, **settings)
        self.party = party
        self.named: list[str] = []
        self.met = False
        self._agreed = ""

    def load(self) -> None:
        """Load what the party holds; does nothing the second time.

        Raises:
            ValueError: It is not named among the parties, or is the label holder and has no labels.
        """
        if self.named:
            return
        held, self.named = self.holdings.load_own(self.party, self.label_holder)
        self.tables, self.classes = {name: parts for name, parts in held.tables.items() if parts}, held.classes
        self.division.check("test" in self.tables)
        self.preparations.check_parties(self.named)
        if self.party == self.label_holder and not self.preparations.scoring:
            for parts in self.tables.values():
                check_labels(parts)

    def meet(self, others: Others) -> None:
        """Take the way to the other parties, who are known by name since `load`."""
        self.others = others

    def align(self) -> None:
        """Find the entities that all parties share, table by table; does nothing the second time."""
        if self.met:
            return
        self.met = True
        self.others.agree("the tables", tables=", ".join(self.tables) or None)
        for name, parts in self.tables.items():
            channels = self.others.channels(self.named)
            ids = parts[self.party].ids
            self.alignments[name] = self.aligner.align_here(self.party, ids, self.label_holder, channels, len(self.named))
        if self.tables:
            own = self.row_key.hex() if self.party == self.label_holder else None
            said = self.others.gather("the order of rows", self.named, key=own)
            self.row_key = bytes.fromhex(said[self.label_holder]["key"])
            self.order()

    def setup(self, stage: str) -> None:
        """Divide and scale the own rows, and learn the shapes of the others'; does nothing the second time."""
        if self.splits:
            return
        self.prepare_data()
        places = self.divide() if self.tables else {}
        own = {split: self.aligned(name, rows) for split, (name, rows) in places.items()}
        rows = {split: numbers for split, (_, numbers) in places.items()}
        block = self.scaled(self.party, own, places) if own else {}
        self.task: Task = self.preparations.task(self.party)
        shape = list(next(iter(block.values())).shape[1:]) if block else None
        counts = {split: len(numbers) for split, numbers in rows.items()}
        known = self.others.gather("rows", shape=shape, counts=counts, outputs=self.task.outputs)
        self.shapes = {party: tuple(known[party]["shape"]) for party in self.named if known[party]["shape"] is not None}
        if self.party != self.label_holder:
            self.task = Elsewhere(known[self.label_holder]["outputs"])
        if self.tables and counts != known[self.label_holder]["counts"]:
            raise ValueError(
                f"the parties disagree about rows: {self.label_holder} has other numbers of them than {counts} here."
            )
        for split, count in known[self.label_holder]["counts"].items():
            numbers = rows[split] if self.tables else torch.arange(count)
            self.splits[split] = self.served(split, own, block, numbers)
        self.agree_on_rows()

    def served(
        self, split: str, own: Mapping[str, Mapping[str, PartyTable]], block: Mapping[str, Tensor], numbers: Tensor
    ) -> AlignedRows:
        """Put the own rows beside the shapes of the others'."""
        meta = {party: torch.empty(len(numbers), *shape, device="meta") for party, shape in self.shapes.items()}
        features = {party: block[split] if party == self.party else shape_only for party, shape_only in meta.items()}
        here = own[split][self.party] if split in own else None
        labels = torch.empty(len(numbers), device="meta") if here is None else self.preparations.labels(here)
        return AlignedRows(features, labels, numbers)

    def strata(self, name: str) -> Tensor | None:
        """Refuse what only the label holder could do."""
        if self.division.stratify:
            raise ValueError(
                "datamodule.stratify=true needs labels at every party, who all divide the rows by themselves: between "
                "processes say datamodule.stratify=false."
            )
        return None

    def agree_on_rows(self) -> None:
        """Make sure that row i is one entity everywhere. A party without rows hears nothing of ids, not even a digest."""
        if self.tables:
            self._agreed = self.others.agree("the aligned entities", self.named, alignment=super().digest)["alignment"]

    @property
    def digest(self) -> str:
        """Fingerprint of the aligned entities, as all parties have it."""
        return self._agreed

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Refuse to resume on other entities than the checkpoint's, where there are entities."""
        if self.tables:
            super().load_state_dict(state_dict)
