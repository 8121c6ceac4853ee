"""The label holder alone knows the metrics; the others stop when it stops, and keep the epochs that it keeps."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from job import SMALL, configuration, run
from running import QUICK
from two_runs import comparable

from vertical_lightning.config.one_party import configuration_of
from vertical_lightning.distributed.spawn import spawn
from vertical_lightning.run.party import run_party

pytestmark = pytest.mark.filterwarnings("ignore")

JOB = [*SMALL, *QUICK, "partition=halves", "optimizer=sgd", "optimizer.lr=0.5"]
STOPPING = [
    "+callbacks.stopping._target_=pytorch_lightning.callbacks.EarlyStopping",
    *("+callbacks.stopping.monitor=val/loss", "+callbacks.stopping.patience=2"),
]
SAVE_EACH_STEP = (
    "+callbacks.each={_target_:pytorch_lightning.callbacks.ModelCheckpoint,dirpath:${folder}/checkpoints,"
    "filename:'{step}',every_n_train_steps:1,save_top_k:-1}"
)
BEST = ["callbacks.checkpoint.monitor=val/accuracy", "callbacks.checkpoint.save_top_k=2", "callbacks.checkpoint.mode=max"]


def kept(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.ckpt") if not path.is_symlink() and list(path.iterdir()))


def test_early_stopping_and_the_best_epochs(tmp_path: Path) -> None:
    words = [*JOB, "optimizer.lr=3.0", *STOPPING, *BEST, "trainer.max_epochs=12"]
    one = run(tmp_path / "one", *words)
    apart = run(tmp_path / "apart", *words, "execution=gloo")
    assert comparable(apart) == comparable(one)
    holder = tmp_path / "apart" / "bob" / "checkpoints"
    best = kept(holder)
    assert int((holder / "last.ckpt").resolve().name[6:9]) < 11, "nothing was stopped early"
    assert len(best) >= 2
    for party in ("alice", "carol"):
        folder = tmp_path / "apart" / party / "checkpoints"
        assert kept(folder) == best, "the label holder keeps other epochs"
        assert (folder / "last.ckpt").resolve().name == (holder / "last.ckpt").resolve().name


def test_the_label_holder_says_how_long(tmp_path: Path) -> None:
    """Seven batches end in the middle of an epoch, and are seven at every party, whatever the others were told."""
    names = ["alice", "carol", "bob"]
    words = {name: ["trainer.max_steps=7" if name == "bob" else "trainer.max_epochs=1"] for name in names}
    own = {
        name: configuration_of(configuration(tmp_path, *JOB, "execution=gloo", *words[name], SAVE_EACH_STEP), name)
        for name in names
    }
    spawn(own, run_party)
    for name in names:
        part = torch.load(tmp_path / name / "checkpoints" / "step=7.ckpt" / f"{name}.ckpt", weights_only=True)
        assert part["global_step"] == 7


def test_sanity_checks_and_validation_within_an_epoch(tmp_path: Path) -> None:
    words = [*JOB, "trainer.num_sanity_val_steps=2", "+trainer.val_check_interval=2", "trainer.max_epochs=2"]
    one = run(tmp_path / "one", *words)
    apart = run(tmp_path / "apart", *words, "execution=gloo")
    assert comparable(apart) == comparable(one)
