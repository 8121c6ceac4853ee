"""A run that was cut off and resumed by `ckpt_path` ends bit-identical to one that was not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from aligned_data import synthetic
from job import SMALL, run
from pytorch_lightning.callbacks import ModelCheckpoint
from resumable import EPOCHS, STEPS, Run, assert_same, batches_per_epoch, cut_off
from running import QUICK

from vertical_lightning.data.datamodule import VerticalDataModule
from vertical_lightning.data.overlap import Overlap

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def whole() -> Run:
    return Run().fit()


@pytest.mark.parametrize("epoch", [0, 1, 2])
def test_from_the_end_of_an_epoch(epoch: int, whole: Run, tmp_path: Path) -> None:
    cut_off(tmp_path, ModelCheckpoint(tmp_path, filename="{epoch}", save_top_k=-1))
    resumed = Run().fit(tmp_path / f"epoch={epoch}.ckpt")
    assert resumed.module.losses == whole.module.losses[STEPS * (epoch + 1) * batches_per_epoch(whole) :]
    assert_same(resumed.state(), whole.state())


@pytest.mark.parametrize(
    "step", ["second", "middle", "middle of the last epoch", "end of the second epoch", "end of the third epoch"]
)
def test_from_a_step(step: str, whole: Run, tmp_path: Path) -> None:
    steps = batches_per_epoch(whole)
    ends = {"end of the second epoch": 2 * steps, "end of the third epoch": 3 * steps}
    middles = {"middle": steps + steps // 2, "middle of the last epoch": (EPOCHS - 1) * steps + steps // 2}
    number = {"second": 2, **middles, **ends}[step]
    cut_off(tmp_path, ModelCheckpoint(tmp_path, filename="{step}", every_n_train_steps=number, save_top_k=-1))
    resumed = Run().fit(tmp_path / f"step={number}.ckpt")
    assert resumed.module.losses == whole.module.losses[STEPS * number :]
    assert_same(resumed.state(), whole.state())


@pytest.mark.parametrize("epoch", [1, 2])
def test_from_the_end_of_a_validation(epoch: int, whole: Run, tmp_path: Path) -> None:
    """The best epoch so far is saved before the epoch has quite ended."""
    saver = ModelCheckpoint(tmp_path, filename="{epoch}", monitor="val/loss", save_top_k=-1, save_on_train_epoch_end=False)
    cut_off(tmp_path, saver)
    resumed = Run().fit(tmp_path / f"epoch={epoch}.ckpt")
    assert resumed.module.losses == whole.module.losses[STEPS * (epoch + 1) * batches_per_epoch(whole) :]
    assert_same(resumed.state(), whole.state())


@pytest.mark.parametrize("step", ["end of an epoch", "middle"])
def test_with_workers(step: str, whole: Run, tmp_path: Path) -> None:
    """Workers fetch ahead, before Lightning has said which epoch it is."""
    steps = batches_per_epoch(whole)
    every, number = {"end of an epoch": ({}, 2 * steps), "middle": ({"every_n_train_steps": steps + 2}, steps + 2)}[step]
    cut_off(tmp_path, ModelCheckpoint(tmp_path, filename="{step}", save_top_k=-1, **every))
    resumed = Run(synthetic(2, rows=150, seed=1, workers=2)).fit(tmp_path / f"step={number}.ckpt")
    assert resumed.module.losses == whole.module.losses[STEPS * number :]
    assert_same(resumed.state(), whole.state())


def test_a_run_that_ended_goes_on(whole: Run, tmp_path: Path) -> None:
    """The first run was asked for two epochs and finished; the second is asked for four."""
    saver = ModelCheckpoint(tmp_path, filename="short", save_last=True)
    cut_off(tmp_path, saver, max_epochs=2)
    assert_same(Run().fit(tmp_path / "last.ckpt").state(), whole.state())


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    cut_off(tmp_path, ModelCheckpoint(tmp_path, filename="one"), max_epochs=1)
    return tmp_path / "one.ckpt"


def test_the_checkpoint_holds_plain_data(checkpoint: Path) -> None:
    saved = torch.load(checkpoint, weights_only=True)
    assert saved["global_step"] > 0 and saved["wire_bytes"]["alice->bob"] > 0
    assert len(saved["optimizer_states"]) == len(saved["lr_schedulers"]) == 3


@pytest.mark.parametrize("options", [{"seed": 2}, {"rows": 151}], ids=str)
def test_other_entities_are_refused(options: dict[str, int], checkpoint: Path) -> None:
    other = synthetic(2, **{"rows": 150, "seed": 1, **options})
    with pytest.raises(ValueError, match="other aligned entities"):
        Run(other).fit(checkpoint)


@pytest.mark.parametrize("options", [{"seed": 2}, {"val_fraction": 0.3}], ids=str)
def test_other_splits_and_orders_are_refused(options: dict[str, Any], tmp_path: Path) -> None:
    """With nothing missing the aligned entities are the same whatever the seed, but not what they are used for."""

    def data(**options: Any) -> VerticalDataModule:
        made = synthetic(2, **{"rows": 150, "seed": 1, **options})
        made.holdings = replace(made.holdings, overlap=Overlap(missing=0.0))
        return made

    saver = ModelCheckpoint(tmp_path, filename="one")
    Run(data(), callbacks=[saver], enable_checkpointing=True, max_epochs=1).fit()
    with pytest.raises(ValueError, match="checkpoint was trained on other"):
        Run(data(**options)).fit(tmp_path / "one.ckpt")


def test_bytes_are_counted_on_and_not_twice(checkpoint: Path, whole: Run) -> None:
    saved = torch.load(checkpoint, weights_only=True)["wire_bytes"]
    assert {link: EPOCHS * count for link, count in saved.items()} == dict(whole.module.wire.bytes)
    run = Run(max_epochs=1).fit()
    assert dict(run.module.wire.bytes) == saved
    run.trainer.test(run.module, datamodule=run.data, ckpt_path=checkpoint, verbose=False)
    assert dict(run.module.wire.bytes) == saved, "testing a checkpoint is no training"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["architecture=tabular"], r"of another network: alice\.fc1.* there and .* here"),
        (["architecture.hidden=[128,64]"], r"of another network: .* is of \[640.*\] there and of \[64"),
        (["cut=1"], "of another network: .* is of .* there and none here|of another network: .* is none there"),
        (["optimizer=sgd"], "has alice's Adam, and optimizer= says SGD. Go on with the same, or start from weights=PATH"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_another_network_is_a_sentence(words: list[str], said: str, finished: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=said):
        run(tmp_path, *SMALL, *QUICK, "trainer.max_epochs=2", f"ckpt_path={finished}", *words)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("finished")
    run(folder, *SMALL, *QUICK, "trainer.max_epochs=1")
    return folder
