"""Who holds what, private set intersection at setup, and batches in which row i is one entity at every party."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import torch
from pytorch_lightning.trainer.states import TrainerFn
from torch import Tensor
from torch.utils.data import DataLoader

from vertical_lightning.data.aligned_tables import AlignedTables
from vertical_lightning.data.entities_digest import digest_of
from vertical_lightning.data.files.unlabeled_files import to_score
from vertical_lightning.data.hash_split import Division
from vertical_lightning.data.loader import AlignedLoader, AlignedRows, PositionSampler, check_batch
from vertical_lightning.data.party_source import PartySource
from vertical_lightning.data.preparations import Preparations, Scored
from vertical_lightning.schema import Aligner, PartyTable, Shape, VerticalBatch
from vertical_lightning.split.task import Task, TaskFactory, following_labels

Places = dict[str, tuple[str, Tensor]]
"""By split: from which table its rows come, and which rows."""


class VerticalDataModule(AlignedTables):
    """Loads what each party holds, aligns it by private set intersection, and serves batches.

    A set with an official test split is aligned twice, training and test tables alike. The training table is then divided
    into train and val, or a single table into train, val and test, by a keyed hash of the id. Each party fits its scaling on
    its own training rows.

    Args:
        holdings: Who holds what.
        aligner: Private set intersection.
        label_holder: The party with the labels.
        batch_size: Rows per batch; the last batch of an epoch has the rest.
        drop_last: Leave out an epoch's last batch of training rows where it is smaller than the others.
        val_fraction: Share of the training rows to validate on, in [0, 1).
        test_fraction: Share of all rows to test on, in [0, 1), where the set has no official test split.
        folds, fold, stratify: As in `Division`.
        scaling: How tensors and numbers are scaled, as in `Preparations`.
        image_range: The numbers that black and white become.
        task: Says what is to be predicted, from the label holder's training labels; by default, what they seem to be.
        shuffle: Draw a new order of training rows each epoch.
        workers: Loader processes. 0 is fastest: rows lie where they are trained on; 1 is for more rows than a GPU has room for.
        seed: Seed of the order of batches, which everybody knows.
        row_seed: Seed of the order of rows and of splits; between real parties a secret of the label holder's, which tells the
            key that follows from it to those who bring rows.
        baseline: What the label holder trains on without partners, on the same aligned rows: the columns of one feature party,
            or with `centralized` all columns.
        scored: What a finished run's parties prepared and which rows they score, where labels need not be there; None to train.

    Attributes:
        shapes: Each feature party's input shape, without the batch; known after `setup`.
        task: What is predicted, as the label holder's own training labels say; known after `setup`.
        preparations: What each party keeps of its training rows; known after `setup`.
    """

    def __init__(
        self,
        holdings: PartySource,
        aligner: Aligner,
        *,
        label_holder: str = "bob",
        batch_size: int = 128,
        drop_last: bool = False,
        val_fraction: float = 0.1,
        test_fraction: float = 0.2,
        folds: int | None = None,
        fold: int = 0,
        stratify: bool = False,
        scaling: str | Mapping[str, str] | None = None,
        image_range: tuple[float, float] = (0.0, 1.0),
        task: TaskFactory = following_labels,
        shuffle: bool = True,
        workers: int = 0,
        seed: int = 0,
        row_seed: int = 0,
        baseline: str | None = None,
        scored: Scored | None = None,
    ) -> None:
        super().__init__(holdings, aligner, label_holder, baseline, row_seed)
        self.batch_size, self.drop_last = batch_size, drop_last
        self.division = Division(val_fraction, test_fraction, folds, fold, stratify)
        kept = None if scored is None else scored.prepared
        self.preparations, self.image_range = Preparations(scaling, image_range, task, kept), image_range
        self.shuffle, self.workers, self.seed = shuffle, workers, seed
        self.shapes: dict[str, Shape] = {}
        self.splits: dict[str, AlignedRows] = {}
        self.tested = "test" if scored is None else scored.split
        if scored is not None and baseline is None:
            self.holdings = to_score(self.holdings, self.preparations.of, scored.split)

    @classmethod
    def of_party(cls) -> Callable[..., VerticalDataModule]:
        """Return the class for a process in which one party is; it takes the same settings, and `party`.

        Raises:
            ValueError: A class derived from this one does not say.
        """
        from vertical_lightning.data.party_data import PartyDataModule  # derived from this one

        if cls is not VerticalDataModule:
            raise ValueError(
                f"datamodule={cls.__name__} does not say what it is where one party is alone: give it a classmethod of_party "
                "that returns a class derived from PartyDataModule, or say execution=local."
            )
        return PartyDataModule

    def check_tables(self, tables: Mapping[str, Mapping[str, PartyTable]]) -> None:
        """Refuse tables that cannot be trained on, if there is to be training, and splits that leave no training row."""
        self.division.check("test" in tables)
        self.preparations.check_parties(list(next(iter(tables.values()), {})))
        if not self.preparations.scoring:
            super().check_tables(tables)

    def setup(self, stage: str) -> None:
        """Put every party's rows into the common order, divide them, and scale them; does nothing the second time.

        Raises:
            ValueError: If the batch is larger than the aligned training set.
        """
        if self.splits:
            return
        self.prepare_data()  # the result is the same on every rank, because rows are ordered by id
        places = self.divide()
        parts = {split: self.aligned(name, rows) for split, (name, rows) in places.items()}
        blocks = {party: block for party in next(iter(parts.values())) if (block := self.scaled(party, parts, places))}
        for split, (_, rows) in places.items():
            labels = self.preparations.labels(parts[split][self.label_holder])
            self.splits[split] = AlignedRows({party: block[split] for party, block in blocks.items()}, labels, rows)
        self.task: Task = self.preparations.task(self.label_holder)
        self.shapes = {party: tuple(next(iter(block.values())).shape[1:]) for party, block in blocks.items()}

    def scaled(self, party: str, parts: Mapping[str, Mapping[str, PartyTable]], places: Places) -> dict[str, Tensor]:
        """Turn one party's columns into numbers, split by split, as its own training rows say."""
        tables = {split: tables[party] for split, tables in parts.items()}
        if "train" in tables:
            ids = self.common_ids(*places["train"]) if party == self.label_holder else ()
            self.preparations.fit(party, tables["train"], self.classes, ids)
        return self.preparations.scale(party, tables)

    def divide(self) -> Places:
        """Say for each split from which table its rows come, and which rows; where rows are scored, for that split alone.

        Raises:
            ValueError: The batch is larger than the aligned training set, or there are no classes to stratify by.
        """
        official = "test" in self.tables
        name = "train" if official else "all"
        if self.tested == "all":
            return {"all": (name, torch.arange(len(self.alignments[name])))}
        rows = self.division.rows(self.common_ids(name), self.row_key, official, self.strata(name))
        places = {split: (name, numbers) for split, numbers in rows.items()}
        if official:
            places["test"] = ("test", torch.arange(len(self.alignments["test"])))
        if self.preparations.scoring:
            return {self.tested: places[self.tested]}
        check_batch(self.batch_size, len(places["train"][1]))
        return places

    def strata(self, name: str) -> Tensor | None:
        """Return the classes of a table's common rows, if splits are to have the same share of each."""
        if not self.division.stratify:
            return None
        labels = self.tables[name][self.label_holder].labels
        if labels is None or labels.is_floating_point():
            raise ValueError("datamodule.stratify=true needs classes, and here are none (split=all scores without labels).")
        return labels[self.alignments[name].positions[self.label_holder]]

    @cached_property
    def digest(self) -> str:
        """Fingerprint of the aligned entities, their order and splits, and of the order of batches; complete after `setup`."""
        ids = {name: self.common_ids(name) for name in self.alignments}
        return digest_of(
            self.row_key, (self.shuffle, self.seed), ids, {split: rows.rows for split, rows in self.splits.items()}
        )

    def state_dict(self) -> dict[str, Any]:
        """Kept in checkpoints."""
        return {"alignment": self.digest, "prepared": self.preparations.state_dict()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Refuse to resume on other rows than the checkpoint's, and to test on rows that were scaled otherwise."""
        fitting = self.trainer is None or self.trainer.state.fn == TrainerFn.FITTING
        if fitting and state_dict["alignment"] != self.digest:
            raise ValueError(
                "the checkpoint was trained on other aligned entities, or splits or batches of them, than these. "
                "Resume with the same data, overlap, fractions and seed."
            )
        self.preparations.check(state_dict.get("prepared", {}))

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
        dropped = self.drop_last and split == "train"
        sampler = PositionSampler(len(rows), self.batch_size, shuffle, self.seed, self.device, dropped)
        return AlignedLoader(rows, sampler, self.workers)

    @property
    def device(self) -> torch.device:
        """Where rows are picked from: where they are trained on, but that loader processes need them on the CPU."""
        return self.trainer.strategy.root_device if self.trainer and not self.workers else torch.device("cpu")
