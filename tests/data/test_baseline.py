"""Baselines train on the entities that the split jobs train on, and on the right columns of them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from job import SMALL, configuration, run
from torch import Tensor

from vertical_lightning.config.compose import build
from vertical_lightning.data.datamodule import VerticalDataModule

WORDS = ["partition=halves", "overlap.missing=0.3", *SMALL]
UNCUT = ["cut=null", "topology.owners=[]"]


def prepared(folder: Path, *words: str) -> VerticalDataModule:
    data = build(configuration(folder, *WORDS, *words).datamodule)
    data.setup("fit")
    return data


@pytest.mark.parametrize("split", ["train", "val", "test"])
@pytest.mark.parametrize("baseline", ["alice", "carol", "centralized"])
def test_the_same_rows_in_the_same_order(baseline: str, split: str, tmp_path: Path) -> None:
    ours, theirs = prepared(tmp_path, f"baseline={baseline}").splits[split], prepared(tmp_path).splits[split]
    assert torch.equal(ours.rows, theirs.rows)
    assert torch.equal(ours.labels, theirs.labels)
    assert set(ours.features) == {"bob"}
    assert torch.equal(ours.features["bob"], expected(theirs.features, baseline))


def expected(features: dict[str, Tensor], baseline: str) -> Tensor:
    """One party's block; or the halves side by side, which is the image."""
    return torch.cat([features["alice"], features["carol"]], dim=3) if baseline == "centralized" else features[baseline]


def test_nothing_crosses(tmp_path: Path) -> None:
    metrics = run(tmp_path, *WORDS, *UNCUT, "baseline=alice", "trainer.max_epochs=1")
    assert metrics["wire/bytes"] == metrics["wire/evaluation_bytes"] == 0
    assert metrics["psi/intersection"] == len(prepared(tmp_path).alignments["train"])


def test_a_label_holder_with_columns_of_its_own(tmp_path: Path) -> None:
    words = ["data=credit", "overlap.missing=0.9", "batch_size=16"]
    split = build(configuration(tmp_path, *words).datamodule)
    alone = build(configuration(tmp_path, *words, "baseline=bank").datamodule)
    for data in (split, alone):
        data.setup("fit")
    assert torch.equal(alone.splits["train"].features["bank"], split.splits["train"].features["bank"])
    assert set(alone.splits["train"].features) == {"bank"}
