"""How many threads a run takes: those asked for, those of the run that it goes on with, or as many as there is work for."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from job import SMALL, configuration, run
from running import QUICK

from vertical_lightning.architectures.mlp import Mlp
from vertical_lightning.config.compose import build
from vertical_lightning.config.job_cores import cores
from vertical_lightning.merges.concat import Concat
from vertical_lightning.run.threads import WORTHWHILE, fitting
from vertical_lightning.split.checkpoint_file import read
from vertical_lightning.split.flops import operations
from vertical_lightning.split.topology import Topology

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(autouse=True)
def threads_as_before() -> object:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def test_operations_are_those_of_the_layers() -> None:
    halves = {"alice": (30,), "carol": (20,)}
    nobody = Topology(Mlp([4, 6]), halves, 10, "bob", owners=["bob"], cut=1, merge=Concat, here=[])
    expected = 2 * 100 * (30 * 4 + 20 * 4 + 8 * 6 + 6 * 10)  # a multiplication and an addition a weight and row
    assert operations(nobody, 100) == expected


def test_threads_follow_the_work() -> None:
    assert [fitting(work * WORTHWHILE // 2, most=4) for work in (0, 1, 2, 3, 4, 7, 100)] == [1, 1, 1, 1, 2, 3, 4]
    assert fitting(10**15, most=None) == cores()


def recorded(folder: Path) -> int:
    return int(read(folder / "checkpoints" / "last.ckpt" / "bob.ckpt")["threads"])


def test_a_small_network_takes_one_and_what_was_taken_is_kept(tmp_path: Path) -> None:
    words = [*SMALL, *[word for word in QUICK if "threads" not in word]]
    run(tmp_path / "small", *words, "trainer.max_epochs=1")
    assert recorded(tmp_path / "small") == 1
    run(tmp_path / "asked", *words, "trainer.max_epochs=1", "threads=3")
    assert recorded(tmp_path / "asked") == 3
    run(tmp_path / "on", *words, "trainer.max_epochs=2", f"ckpt_path={tmp_path / 'asked'}")
    assert recorded(tmp_path / "on") == 3, "other threads would give other last bits"


def test_large_networks_take_more(tmp_path: Path) -> None:
    config = configuration(tmp_path, *SMALL, "architecture=resnet18", "batch_size=128", "cut=2")
    network = build(config.topology)(build(config.architecture), {"alice": (1, 28, 28)}, 10, merge=build(config.merge), here=[])
    assert fitting(operations(network, 128), most=8) == 8
