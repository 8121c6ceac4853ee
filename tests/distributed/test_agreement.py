"""Parties that do not mean the same run stop before the first step, and each is told what differs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from job import SMALL, configuration
from omegaconf import DictConfig
from running import QUICK

from vertical_lightning.config import agreement
from vertical_lightning.config.one_party import configuration_of
from vertical_lightning.distributed import session
from vertical_lightning.distributed.spawn import spawn
from vertical_lightning.run.party import run_party

pytestmark = pytest.mark.filterwarnings("ignore")

JOB = [*SMALL, *QUICK, "partition=halves", "execution=gloo", "trainer.max_epochs=1", "execution.patience=30"]


def meet(folder: Path, differences: Mapping[str, list[str]]) -> dict[str, str]:
    """Start three parties, each with its own words; return what they said."""
    names = ["alice", "carol", "bob"]
    own = {name: configuration_of(configuration(folder, *JOB, *differences.get(name, [])), name) for name in names}
    with pytest.raises(ConnectionError):
        spawn(own, run_party)
    return {name: (folder / name / "output.txt").read_text() for name in names}


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("batch_size=16", "batch_size: alice=16 carol=32 bob=32"),
        ("seed=1", "seed: alice=1 carol=0 bob=0"),
        ("cut=1", "cut: alice=1 carol=2 bob=2"),
        ("architecture.hidden=[128,64]", "architecture.hidden: alice=[128, 64] carol=[128, 640] bob=[128, 640]"),
        ("merge=sum", "merge: alice=Sum carol=Concat bob=Concat"),
        ("trainer.precision=bf16-mixed", "trainer.precision: alice=bf16-mixed carol=32 bob=32"),
        ("psi.min_overlap=5", "psi.min_overlap: alice=5 carol=None bob=None"),
    ],
)
def test_what_differs_is_named(word: str, told: str, tmp_path: Path) -> None:
    said = meet(tmp_path, {"alice": [word]})
    for party in said:
        assert told in said[party], party
        assert "Alignment" not in said[party], "somebody went on"


def test_what_is_a_partys_own_business_may_differ(tmp_path: Path) -> None:
    words = {"alice": ["optimizer.lr=0.1", "party_seed=5", "trainer.max_epochs=7"], "carol": ["optimizer=sgd", "clip_norm=1.0"]}
    names = ["alice", "carol", "bob"]
    own = {name: configuration_of(configuration(tmp_path, *JOB, *words.get(name, [])), name) for name in names}
    spawn(own, run_party)
    assert (tmp_path / "alice" / "metrics.json").is_file()


def test_other_rows_are_noticed(tmp_path: Path) -> None:
    """Every party has rows of its own seed's making, so the shares of validation rows differ."""
    said = meet(tmp_path, {"carol": ["datamodule.val_fraction=0.3"]})
    assert "datamodule.val_fraction: alice=0.1 carol=0.3 bob=0.1" in said["bob"]


def code_in_the_schedule(config: DictConfig, name: str, *place: Any) -> None:
    """A label holder that is honest but for one value of its duration."""
    if name == "bob":
        code = {"_target_": "pathlib.Path.touch", "_args_": [{"_target_": "pathlib.Path", "_args_": [f"{config.folder}-ran"]}]}
        agreement.duration = lambda *_: {"max_epochs": 1, "limit_val_batches": code}
        session.speakable = lambda what, facts: facts
    run_party(config, name, *place)


def test_a_label_holder_runs_nothing_at_the_others(tmp_path: Path) -> None:
    names = ["alice", "carol", "bob"]
    own = {name: configuration_of(configuration(tmp_path, *JOB), name) for name in names}
    with pytest.raises(ConnectionError):
        spawn(own, code_in_the_schedule)
    for party in ("alice", "carol"):
        said = (tmp_path / party / "output.txt").read_text()
        assert f"{party} refuses what bob sent: what bob says of how long to train is not what it must be" in said
    assert not list(tmp_path.glob("*-ran"))
