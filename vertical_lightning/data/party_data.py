"""The data module of a process in which one party is: its own rows, and the shapes of all others'."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor

from vertical_lightning.data.datamodule import VerticalDataModule
from vertical_lightning.data.loader import AlignedRows, check_batch
from vertical_lightning.data.partition import check_labels
from vertical_lightning.data.preprocessing import scale
from vertical_lightning.schema import PartyTable
from vertical_lightning.task import Elsewhere, Task, task_of


class Others(Protocol):
    """The other parties, each in a process of its own."""

    def gather(self, what: str, **facts: Any) -> dict[str, dict[str, Any]]:
        """Tell all others these facts, and return every party's."""

    def agree(self, what: str, among: Sequence[str] | None = None, **facts: Any) -> dict[str, Any]:
        """Stop everybody unless all, or the given ones, say the same, and return that; who says None goes along."""

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
        others: The way to them; to be set before `align`.
    """

    others: Others

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
        if self.party == self.label_holder:
            for parts in self.tables.values():
                check_labels(parts)

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

    def setup(self, stage: str) -> None:
        """Divide and scale the own rows, and learn the shapes of the others'; does nothing the second time."""
        if self.splits:
            return
        self.prepare_data()
        own, rows = self.own_rows() if self.tables else ({}, {})
        tables = own.get("train")
        self.task: Task = Elsewhere(1)
        if tables is not None and tables.labels is not None:
            self.task = task_of(self.classes, tables.labels)
        block = scale(self.party, {split: {self.party: part} for split, part in own.items()}, self.image_range) if own else {}
        shape = list(block["train"].shape[1:]) if block else None
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

    def own_rows(self) -> tuple[dict[str, PartyTable], dict[str, Tensor]]:
        """Return the party's aligned rows, and their numbers, by split."""
        places = self.divide()
        check_batch(self.batch_size, len(places["train"][1]))
        own = {split: self.aligned(name, rows)[self.party] for split, (name, rows) in places.items()}
        return own, {split: rows for split, (_, rows) in places.items()}

    def served(self, split: str, own: Mapping[str, PartyTable], block: Mapping[str, Tensor], numbers: Tensor) -> AlignedRows:
        """Put the own rows beside the shapes of the others'."""
        meta = {party: torch.empty(len(numbers), *shape, device="meta") for party, shape in self.shapes.items()}
        features = {party: block[split] if party == self.party else one for party, one in meta.items()}
        labels = own[split].labels if split in own else None
        return AlignedRows(features, torch.empty(len(numbers), device="meta") if labels is None else labels, numbers)

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
