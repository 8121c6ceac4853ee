"""Who holds what, private set intersection at setup, and batches in which row i is one entity at every party."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.trainer.states import TrainerFn
from torch import Tensor
from torch.utils.data import DataLoader

from vertical_lightning.data.assignment import assign
from vertical_lightning.data.loader import AlignedLoader, AlignedRows, PositionSampler, check_batch
from vertical_lightning.data.partition import check_baseline, check_parts, pool
from vertical_lightning.data.preprocessing import scale
from vertical_lightning.psi.identifiers import canonical
from vertical_lightning.schema import (
    Aligner,
    Alignment,
    Holdings,
    PartyTable,
    Shape,
    Table,
    VerticalBatch,
)
from vertical_lightning.task import Task, task_of

Places = dict[str, tuple[str, Tensor]]
"""By split: from which table its rows come, and which rows."""


class VerticalDataModule(pl.LightningDataModule):
    """Loads what each party holds, aligns it by private set intersection, and serves batches.

    A set with an official test split is aligned twice, training and test tables alike. The training table is then divided
    into train and val, or a single table into train, val and test, by a keyed hash of the id. Each party fits its scaling on
    its own training rows.

    Args:
        holdings: Who holds what.
        aligner: Private set intersection.
        label_holder: The party with the labels.
        batch_size: Rows per batch; the last batch of an epoch has the rest.
        val_fraction: Share of the training rows to validate on, in [0, 1).
        test_fraction: Share of all rows to test on, in [0, 1), where the set has no official test split.
        image_range: The numbers that black and white become.
        shuffle: Draw a new order of training rows each epoch.
        workers: Loader processes. 0 is fastest: rows lie where they are trained on; 1 is for more rows than a GPU has room for.
        seed: Seed of splits and order.
        baseline: What the label holder trains on without partners, on the same aligned rows: the columns of one feature party,
            or with `centralized` all columns.

    Attributes:
        tables: By table (`train`, `test` or `all`) and party: what each party holds; without columns after `release`.
        alignments: By table: the result of private set intersection.
        shapes: Each feature party's input shape, without the batch; known after `setup`.
        classes: The names of the classes, known after `load`; empty where labels are numbers.
        task: What is predicted, as the label holder's own training labels say; known after `setup`.
    """

    def __init__(
        self,
        holdings: Holdings,
        aligner: Aligner,
        *,
        label_holder: str = "bob",
        batch_size: int = 128,
        val_fraction: float = 0.1,
        test_fraction: float = 0.2,
        image_range: tuple[float, float] = (0.0, 1.0),
        shuffle: bool = True,
        workers: int = 0,
        seed: int = 0,
        baseline: str | None = None,
    ) -> None:
        super().__init__()
        self.holdings, self.aligner, self.label_holder = holdings, aligner, label_holder
        self.batch_size = batch_size
        self.fractions = {"val": val_fraction, "test": test_fraction}
        self.image_range = image_range
        self.shuffle, self.workers, self.seed = shuffle, workers, seed
        self.baseline = baseline
        self.tables: Mapping[str, Mapping[str, PartyTable]] = {}
        self.classes: Sequence[str] = ()
        self.whole: Mapping[str, Table] = {}
        self.alignments: dict[str, Alignment] = {}
        self.shapes: dict[str, Shape] = {}
        self.splits: dict[str, AlignedRows] = {}
        self.tested = "test"

    def prepare_data(self) -> None:
        """Load and align; the result is kept, because Lightning calls this again for every stage."""
        self.load()
        self.align()

    def take_over(self, other: VerticalDataModule) -> None:
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
        for parts in held.tables.values():
            check_parts(parts)
        self.tables, self.classes, self.whole = held.tables, held.classes, held.whole

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

    def setup(self, stage: str) -> None:
        """Put every party's rows into the common order, divide them, and scale them; does nothing the second time.

        Raises:
            ValueError: If the batch is larger than the aligned training set.
        """
        if self.splits:
            return
        self.prepare_data()  # the result is the same on every rank, because rows are ordered by id
        places = self.divide()
        check_batch(self.batch_size, len(places["train"][1]))
        parts = {split: self.aligned(name, rows) for split, (name, rows) in places.items()}
        scaled = {party: scale(party, parts, self.image_range) for party in parts["train"]}
        blocks = {party: block for party, block in scaled.items() if block}
        for split, (_, rows) in places.items():
            labels = parts[split][self.label_holder].labels
            assert labels is not None, "load() found labels at the label holder"
            self.splits[split] = AlignedRows({party: block[split] for party, block in blocks.items()}, labels, rows)
        self.task: Task = task_of(self.classes, self.splits["train"].labels)
        self.shapes = {party: tuple(block["train"].shape[1:]) for party, block in blocks.items()}

    def release(self) -> None:
        """Forget the unscaled columns, which nobody needs after `setup` but who wants to show them."""
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

    def common_ids(self, name: str) -> list[bytes]:
        """Return the canonical ids of one table's common entities, in the common order."""
        party, rows = next(iter(self.alignments[name].positions.items()))  # anyone's: they are the same
        ids = self.tables[name][party].ids
        return canonical((ids[row] for row in rows.tolist()), party)

    def divide(self) -> Places:
        """Say for each split from which table its rows come, and which rows."""
        official = "test" in self.tables
        name = "train" if official else "all"
        fractions = {"val": self.fractions["val"]} if official else self.fractions
        rows = assign(self.common_ids(name), fractions, "train", self.seed)
        places = {split: (name, numbers) for split, numbers in rows.items()}
        if official:
            places["test"] = ("test", torch.arange(len(self.alignments["test"])))
        return places

    @cached_property
    def digest(self) -> str:
        """Fingerprint of the aligned entities, their order and splits, and of the order of batches; complete after `setup`."""
        state = hashlib.sha256(repr((self.shuffle, self.seed)).encode())
        for name in self.alignments:
            for entity in self.common_ids(name):
                state.update(f"{name}:{len(entity)}:".encode() + entity)
        for split, rows in self.splits.items():
            state.update(f"{split}:{rows.rows.tolist()}".encode())
        return state.hexdigest()

    def state_dict(self) -> dict[str, Any]:
        """Kept in checkpoints."""
        return {"alignment": self.digest}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Refuse to resume on other entities than the checkpoint's."""
        fitting = self.trainer is None or self.trainer.state.fn == TrainerFn.FITTING
        if fitting and state_dict["alignment"] != self.digest:
            raise ValueError(
                "the checkpoint was trained on other aligned entities, or splits or batches of them, than these. "
                "Resume with the same data, overlap, fractions and seed."
            )

    def train_dataloader(self) -> DataLoader[VerticalBatch]:
        """Serve the training rows."""
        return self.serve("train", self.shuffle)

    def val_dataloader(self) -> DataLoader[VerticalBatch] | list[Any]:
        """Serve the validation rows, if any."""
        return self.serve("val", shuffle=False) if len(self.splits["val"]) else []

    def test_dataloader(self) -> DataLoader[VerticalBatch]:
        """Serve the test rows, or those of the split that `tested` names."""
        return self.serve(self.tested, shuffle=False)

    def serve(self, split: str, shuffle: bool) -> DataLoader[VerticalBatch]:
        """Build the loader of one split."""
        rows = self.splits[split].to(self.device)
        sampler = PositionSampler(len(rows), self.batch_size, shuffle, self.seed, self.device)
        return AlignedLoader(rows, sampler, self.workers)

    @property
    def device(self) -> torch.device:
        """Where rows are picked from: where they are trained on, but that loader processes need them on the CPU."""
        return self.trainer.strategy.root_device if self.trainer and not self.workers else torch.device("cpu")
