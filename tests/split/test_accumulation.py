"""Gradients that are added up over batches are those of one large batch, party by party."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from job import SMALL, run
from running import QUICK
from torch import Tensor

from vertical_lightning.split.checkpoint_file import read

pytestmark = pytest.mark.filterwarnings("ignore")

JOB = [*SMALL, *QUICK, "partition=halves", "optimizer=sgd", "optimizer.lr=0.5", "datamodule.shuffle=false", "data_seed=0"]
SHORT = ["trainer.max_epochs=2", "trainer.limit_train_batches=4", "trainer.precision=64-true"]


def weights(folder: Path, party: str) -> dict[str, Any]:
    return {
        name: value
        for name, value in read(folder / "checkpoints" / "last.ckpt" / f"{party}.ckpt")["state_dict"].items()
        if isinstance(value, Tensor)
    }


def distance(one: Path, other: Path, party: str) -> float:
    ours, theirs = weights(one, party), weights(other, party)
    return max(float((ours[name] - value).abs().max()) for name, value in theirs.items())


def test_two_batches_are_one_of_twice_the_size(tmp_path: Path) -> None:
    run(tmp_path / "small", *JOB, *SHORT, "batch_size=16", "accumulate=2", "clip_norm=0.5")
    run(tmp_path / "large", *JOB, *SHORT, "batch_size=32", "trainer.limit_train_batches=2", "clip_norm=0.5")
    assert all(distance(tmp_path / "small", tmp_path / "large", party) < 1e-12 for party in ("alice", "carol", "bob"))


def test_a_window_ends_with_its_epoch_and_is_averaged_by_its_own_length(tmp_path: Path) -> None:
    run(tmp_path / "long", *JOB, *SHORT, "batch_size=16", "accumulate=100")
    run(tmp_path / "whole", *JOB, *SHORT, "batch_size=64", "trainer.limit_train_batches=1")
    assert all(distance(tmp_path / "long", tmp_path / "whole", party) < 1e-12 for party in ("alice", "carol", "bob"))


@pytest.mark.parametrize("slow", ["alice", "bob"])
def test_one_party_may_wait_and_batches_are_counted(slow: str, tmp_path: Path) -> None:
    words = [*JOB, "trainer.precision=64-true", "trainer.max_epochs=1", "batch_size=16", "trainer.limit_train_batches=2"]
    run(tmp_path / "start", *words, "optimizer.lr=0.0")
    run(tmp_path / "all", *words)
    run(tmp_path / "slow", *words, f"accumulate={{{slow}: 2}}")
    for party in ("alice", "carol", "bob"):
        assert distance(tmp_path / "slow", tmp_path / "start", party) > 0
        assert distance(tmp_path / "slow", tmp_path / "all", party) > 0, "the second batch met what another had learned"
    assert read(tmp_path / "slow" / "checkpoints" / "last.ckpt" / "bob.ckpt")["global_step"] == 2


def test_one_is_none(tmp_path: Path) -> None:
    for number, words in (("none", []), ("one", ["accumulate=1"])):
        run(tmp_path / number, *JOB, *SHORT, *words)
    for party in ("alice", "carol", "bob"):
        ours, theirs = weights(tmp_path / "one", party), weights(tmp_path / "none", party)
        assert all(torch.equal(ours[name], value) for name, value in theirs.items())
