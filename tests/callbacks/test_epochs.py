"""Training and validation are two runs of one chart, and its x are epochs, whatever becomes of the run."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
from job import SMALL, run
from pytorch_lightning.callbacks import ModelCheckpoint
from pytorch_lightning.loggers import TensorBoardLogger
from resumable import Run, batches_per_epoch, cut_off
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from vertical_lightning.callbacks.epochs import Epochs

pytestmark = pytest.mark.filterwarnings("ignore")

Curves = dict[str, dict[int, float]]


def curves(folder: Path) -> Curves:
    """A run's scalars by step; each step once, but for Lightning's own count of epochs."""
    events = EventAccumulator(str(folder), size_guidance={"scalars": 0}).Reload()
    found = {tag: [(point.step, point.value) for point in events.Scalars(tag)] for tag in events.Tags()["scalars"]}
    assert all(len(points) == len(dict(points)) for tag, points in found.items() if tag != "epoch")
    return {tag: dict(points) for tag, points in found.items()}


def watched(folder: Path, *callbacks: pl.Callback, **options: Any) -> Run:
    logger = TensorBoardLogger(str(folder), name=None, version="")
    return Run(logger=logger, callbacks=[Epochs(), *callbacks], **options)


def by_epoch(folder: Path) -> Curves:
    """What the run itself has logged once an epoch, by phase and score, at the epochs that its steps are in."""
    whole = curves(folder)
    epochs = {step: int(epoch) + 1 for step, epoch in whole["epoch"].items()}
    scores = [f"{phase}/{name}" for phase in ("train", "val") for name in ("loss", "accuracy", "auroc")]
    return {tag: {epochs[step]: value for step, value in whole[tag].items()} for tag in scores if tag in whole}


def beside(folder: Path) -> Curves:
    """The same as the callback has written it."""
    return {
        f"{phase}/{tag.removeprefix('epoch/')}": points
        for phase in ("train", "val")
        if (folder / phase).exists()
        for tag, points in curves(folder / phase).items()
    }


def test_both_are_what_the_run_logs_at_epochs_from_1(tmp_path: Path) -> None:
    watched(tmp_path, num_sanity_val_steps=2).fit()
    assert beside(tmp_path) == by_epoch(tmp_path)
    assert set(beside(tmp_path)) == {f"{phase}/{name}" for phase in ("train", "val") for name in ("loss", "accuracy", "auroc")}
    assert all(list(points) == [1, 2, 3, 4] for points in beside(tmp_path).values())


def test_an_epoch_without_validation_has_none(tmp_path: Path) -> None:
    watched(tmp_path, check_val_every_n_epoch=2).fit()
    assert beside(tmp_path) == by_epoch(tmp_path)
    assert {name: list(points) for name, points in beside(tmp_path).items() if "loss" in name} == {
        "train/loss": [1, 2, 3, 4],
        "val/loss": [2, 4],
    }


def test_no_validation_is_no_run(tmp_path: Path) -> None:
    watched(tmp_path, limit_val_batches=0).fit()
    assert list(curves(tmp_path / "train")["epoch/loss"]) == [1, 2, 3, 4]
    assert not (tmp_path / "val").exists()


def test_of_several_validations_in_an_epoch_the_last_counts(tmp_path: Path) -> None:
    watched(tmp_path, val_check_interval=1).fit()
    whole = curves(tmp_path)
    assert len(whole["val/loss"]) > 4
    assert list(beside(tmp_path)["val/loss"]) == [1, 2, 3, 4]
    assert beside(tmp_path)["val/loss"][4] == list(whole["val/loss"].values())[-1]


@pytest.mark.parametrize(
    ("name", "train", "options"),
    [
        ("epoch=1", 3, lambda steps: {"every_n_epochs": 1}),
        ("epoch=1", 2, lambda steps: {"monitor": "val/loss", "save_on_train_epoch_end": False}),
        ("epoch=2", 3, lambda steps: {"every_n_train_steps": 2 * steps + steps // 2}),
    ],
    ids=["the end of an epoch", "the end of a validation", "the middle of an epoch"],
)
def test_goes_on_from_a_checkpoint(name: str, train: int, options: Callable[[int], dict[str, Any]], tmp_path: Path) -> None:
    """`train` is the first epoch that had not ended in training."""
    whole = watched(tmp_path / "whole").fit()
    cut_off(tmp_path, ModelCheckpoint(tmp_path, filename="{epoch}", save_top_k=-1, **options(batches_per_epoch(whole))))
    watched(tmp_path / "resumed").fit(tmp_path / f"{name}.ckpt")
    first = {"train": train, "val": 3}
    assert beside(tmp_path / "resumed") == {
        tag: {epoch: value for epoch, value in points.items() if epoch >= first[tag.split("/")[0]]}
        for tag, points in beside(tmp_path / "whole").items()
    }


class Stop(pl.Callback):
    """Ends the run in the middle of its third epoch."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        if trainer.current_epoch == 2:
            raise self.error


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt()], ids=["error", "Ctrl-C"])
def test_a_run_that_is_stopped_has_its_epochs_and_leaves_no_writer(error: BaseException, tmp_path: Path) -> None:
    before = set(threading.enumerate())
    with pytest.raises((ValueError, SystemExit)):
        watched(tmp_path, Stop(error)).fit()
    assert all(list(points) == [1, 2] for points in beside(tmp_path).values()) and beside(tmp_path)
    assert not [thread for thread in set(threading.enumerate()) - before if "AsyncWriter" in type(thread).__name__]


def test_without_tensorboard_nothing_is_written(tmp_path: Path) -> None:
    run(tmp_path, *SMALL, "trainer.max_epochs=1", "logger=csv")
    assert not {"train", "val"} & {path.name for path in tmp_path.iterdir()}


def test_numbers_and_two_processes(tmp_path: Path) -> None:
    words = ["data=synthetic", "data.classes=0", "batch_size=32", "callbacks.progress_bar.refresh_rate=0"]
    run(tmp_path, *words, "trainer.max_epochs=2", "execution=gloo", "threads=1")
    for phase in ("train", "val"):
        assert {tag: list(points) for tag, points in curves(tmp_path / "bob" / phase).items()} == {
            f"epoch/{score}": [1, 2] for score in ("loss", "rmse", "r2")
        }
        assert not (tmp_path / "alice" / phase).exists(), "who has no labels has no scores"
