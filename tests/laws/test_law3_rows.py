"""Law 3: row i is one entity at every party, in every batch, with shuffling and with workers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from aligned_data import check_rows, digests, global_state, numbered, numbers, synthetic
from split_runs import OPTIMIZERS, Recorded, quiet_trainer
from torch import Tensor

from vertical_lightning.architectures.mlp import Mlp
from vertical_lightning.data.datamodule import VerticalDataModule
from vertical_lightning.merges.concat import Concat
from vertical_lightning.schema import VerticalBatch
from vertical_lightning.split.topology import Topology

pytestmark = pytest.mark.filterwarnings("ignore")


class Collect(pl.Callback):
    """Keeps every batch of every epoch, as the module saw it."""

    def __init__(self) -> None:
        self.train: dict[int, list[VerticalBatch]] = {}
        self.val: list[VerticalBatch] = []

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        self.train.setdefault(trainer.current_epoch, []).append(batch)

    def on_validation_batch_end(self, trainer: pl.Trainer, pl_module: Any, outputs: Any, batch: Any, *rest: Any) -> None:
        self.val.append(batch)


def fitted(data: VerticalDataModule, epochs: int = 2) -> Collect:
    data.prepare_data()
    data.setup("fit")
    network = Topology(Mlp([4]), data.shapes, 3, data.label_holder, owners=[data.label_holder], cut=1, merge=Concat)
    collect = Collect()
    trainer = quiet_trainer(max_epochs=epochs, callbacks=[collect], num_sanity_val_steps=0)
    trainer.fit(Recorded(network, OPTIMIZERS["sgd"]), datamodule=data)
    return collect


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("shuffle", [True, False], ids=["shuffled", "in order"])
@pytest.mark.parametrize(("parties", "label_holder"), [(1, "bob"), (3, "bob"), (2, "alice")])
def test_row_i_is_one_entity(parties: int, label_holder: str, shuffle: bool, workers: int) -> None:
    if workers and parties == 1:
        pytest.skip("workers are started for the other numbers of parties")
    data = numbered(parties, label_holder=label_holder, shuffle=shuffle, workers=workers, val_fraction=0.2)
    collect = fitted(data)
    assert len(collect.train) == 2
    for batches in collect.train.values():
        check_rows(data, batches)
        assert [len(batch.rows) for batch in batches[:-1]] == [16] * (len(batches) - 1)
    check_rows(data, collect.val[: len(collect.val) // 2], split="val")
    first, second = (torch.cat([batch.rows for batch in batches]) for batches in collect.train.values())
    assert torch.equal(first, second) != shuffle


def test_official_test_rows_are_aligned_too() -> None:
    data = numbered(2, rows=100, test_rows=50)
    data.setup("fit")
    check_rows(data, data.train_dataloader(), "train", "train")
    check_rows(data, data.test_dataloader(), "test", "test")
    check_rows(data, data.val_dataloader(), "train", "val")
    assert len(data.alignments["test"]) > 40


def test_splits_have_no_entity_in_common_and_lose_none() -> None:
    data = numbered(2)
    data.setup("fit")
    sets = [set(numbers(rows.features["alice"]).tolist()) for rows in data.splits.values()]
    assert len(set().union(*sets)) == sum(map(len, sets)) == len(data.alignments["all"])
    assert min(map(len, sets)) > 5


@pytest.mark.parametrize("workers", [0, 2])
def test_two_runs_with_one_seed_see_the_same_batches(workers: int) -> None:
    def seen(**options: Any) -> list[str]:
        data = numbered(2, workers=workers, **options)
        batches = [batch for epoch in fitted(data).train.values() for batch in epoch]
        return [next(iter(digests(one, data.tables["all"], data.alignments["all"].positions).values())) for one in batches]

    once = seen(seed=1)
    assert once == seen(seed=1)
    assert set(once).isdisjoint(seen(seed=2))


def test_numbers_are_the_entitys_own_standardized_by_the_training_rows() -> None:
    data = synthetic(3, seed=4)
    data.setup("fit")
    [table] = data.holdings.source.load().values()
    row_of = {one: row for row, one in enumerate(table.ids)}
    positions = data.alignments["all"].positions
    for party, own in data.tables["all"].items():
        if own.features is None:
            continue
        columns = table.features[list(own.features.columns)].to_numpy(np.float64)

        def true(rows: Tensor, party: str = party, columns: np.ndarray = columns) -> np.ndarray:
            ids = data.tables["all"][party].ids
            return columns[[row_of[ids[row]] for row in positions[party][rows].tolist()]]

        training = true(data.splits["train"].rows)
        for split, rows in data.splits.items():
            expected = (true(rows.rows) - training.mean(0)) / training.std(0)
            np.testing.assert_allclose(rows.features[party].numpy(), expected, atol=1e-5, err_msg=f"{party} {split}")


@pytest.mark.parametrize("workers", [0, 2])
def test_loading_leaves_the_global_random_state_alone(workers: int) -> None:
    before = global_state()
    data = numbered(2, workers=workers)
    data.setup("fit")
    for dataloader in (data.train_dataloader(), data.val_dataloader(), data.test_dataloader()):
        assert list(dataloader)
    assert global_state() == before


@pytest.mark.parametrize("empty", ["val_fraction", "test_fraction"])
def test_a_split_may_be_empty(empty: str) -> None:
    data = numbered(2, **{empty: 0.0})
    data.setup("fit")
    check_rows(data, data.train_dataloader())


@pytest.mark.parametrize("empty", ["val_fraction", "test_fraction"])
def test_a_split_of_a_table_of_numbers_may_be_empty(empty: str) -> None:
    data = synthetic(2, **{empty: 0.0})
    data.setup("fit")
    assert len(data.splits[empty.removesuffix("_fraction")]) == 0
