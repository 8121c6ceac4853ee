"""Runs and sweeps whose labels are numbers: they learn, go on after a crash, and every part of them copes."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aligned_data import synthetic
from job import configuration, run
from pytorch_lightning.callbacks import ModelCheckpoint
from resumable import STEPS, Run, assert_same, batches_per_epoch
from small_images import SmallImages
from sweeps import environment
from torch import Tensor

from vertical_lightning.commands.cuts import BATCH, survey
from vertical_lightning.config.compose import build
from vertical_lightning.data.datamodule import VerticalDataModule
from vertical_lightning.reports.writing import write
from vertical_lightning.schema import Table
from vertical_lightning.split.checkpoints import PartyCheckpoints

pytestmark = pytest.mark.filterwarnings("ignore")
NUMBERS = ["data=synthetic", "data.classes=0", "partition=even_columns", "batch_size=32"]
QUIET = ["callbacks.progress_bar.refresh_rate=0"]


def numbers() -> VerticalDataModule:
    return synthetic(2, rows=150, classes=0, seed=1)


@pytest.mark.parametrize("step", ["middle", "end of an epoch"])
def test_a_run_goes_on_bit_identically(step: str, tmp_path: Path) -> None:
    whole = Run(numbers()).fit()
    number = 2 * batches_per_epoch(whole) + (batches_per_epoch(whole) // 2 if step == "middle" else 0)
    saver = ModelCheckpoint(tmp_path, filename="{step}", every_n_train_steps=number, save_top_k=-1)
    Run(numbers(), callbacks=[saver], enable_checkpointing=True, default_root_dir=tmp_path).fit()
    resumed = Run(numbers()).fit(tmp_path / f"step={number}.ckpt")
    assert resumed.module.losses == whole.module.losses[STEPS * number :]
    assert_same(resumed.state(), whole.state())
    assert {"train/rmse", "train/mae", "train/r2", "train/loss"} < set(whole.trainer.callback_metrics)


def test_a_run_learns_and_prints_its_metrics(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    metrics = run(tmp_path, *NUMBERS, *QUIET, "trainer.max_epochs=8")
    assert 0.75 < metrics["test/r2"] < 0.95, "8 of 9 parts of the variance can be predicted"
    assert metrics["test/rmse"] == pytest.approx(1, abs=0.4), "in the labels' own units, the noise is 1"
    assert metrics["test/mae"] < metrics["test/rmse"]
    assert not [name for name in metrics if "accuracy" in name or "auroc" in name]
    assert capsys.readouterr().out.split("Results")[1].split()[:4] == ["loss", "mae", "r2", "rmse"]
    saved = json.loads((tmp_path / "metrics.json").read_text())
    assert saved["val/r2"] == metrics["val/r2"]


def test_without_test_rows_the_others_are_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(tmp_path, *NUMBERS, *QUIET, "trainer.max_epochs=1", "datamodule.test_fraction=0", "datamodule.val_fraction=0")
    lines = capsys.readouterr().out.split("Results")[1].splitlines()
    assert lines[1].split() == ["loss", "mae", "r2", "rmse"]
    assert lines[3].split()[0] == "train" and "–" not in lines[3]


def weights(folder: Path) -> dict[str, Any]:
    return dict(PartyCheckpoints().load_checkpoint(folder / "checkpoints" / "last.ckpt")["state_dict"])


class Brightness(SmallImages):
    """How bright is the picture?"""

    def load(self) -> dict[str, Table]:
        def bright(table: Table) -> Tensor:
            assert isinstance(table.features, Tensor)
            return table.features.float().mean(dim=(1, 2, 3))

        return {name: replace(table, labels=bright(table), classes=()) for name, table in super().load().items()}


def test_images_with_numbers_and_every_callback_which_change_nothing(tmp_path: Path) -> None:
    words = ["data._target_=test_regression_runs.Brightness", "partition=halves", "batch_size=32", "trainer.max_epochs=1"]
    metrics = run(tmp_path, *words, *QUIET, "callbacks=[default,projector,hop_histograms]")
    assert metrics["test/rmse"] > 0
    run(tmp_path / "bare", *words, *QUIET, "callbacks=[progress_bar,checkpoint]")
    assert_same(weights(tmp_path), weights(tmp_path / "bare"))
    [labels] = {path.read_text() for path in tmp_path.glob("*/embedding%2f*/metadata.tsv")}
    data = build(configuration(tmp_path, *words).datamodule)
    data.setup("fit")
    assert [float(one) for one in labels.split()] == pytest.approx(data.splits["test"].labels.tolist(), rel=1e-5)


def test_the_cost_of_cuts_counts_one_output(tmp_path: Path) -> None:
    config = configuration(tmp_path, *NUMBERS)
    costs = survey(config, build(config.datamodule.holdings).example(config.label_holder, BATCH)[0])
    assert costs[-1].parameters["bob"] == 2 * 640 + 1


def test_a_sweep_ends_in_a_report_with_any_objective(tmp_path: Path) -> None:
    swept = ["cut=1,2", "seed=0,1", "trainer.max_epochs=2", "data.rows=200", "architecture.hidden=[8,8]"]
    quiet = ["trainer.accelerator=cpu", "hydra.sweep.dir=made", *QUIET]
    command = [sys.executable, "-m", "vertical_lightning.commands.train", "-m", *NUMBERS, *swept, *quiet]
    done = subprocess.run(command, cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "made"
    found = {path.parent.name.split("cut=")[1]: json.loads(path.read_text()) for path in folder.glob("*/metrics.json")}
    means = {cut: sum(found[f"{cut},seed={seed}"]["val/rmse"] for seed in (0, 1)) / 2 for cut in (1, 2)}
    best = min(means, key=lambda cut: means[cut])
    found_best = f"Best: cut={best}, with val/rmse {means[best]:.4f}"
    summary = (folder / "summary.md").read_text()
    assert found_best in summary and found_best in done.stdout

    study = json.loads((folder / "study.json").read_text())
    (folder / "study.json").write_text(json.dumps(study | {"objective": ["val/rmse"]}))
    report = write([folder], tmp_path / "again")
    again = report.markdown.read_text()
    assert found_best in again and "\n\nBest val/rmse first (less is better)" in again and "val/r2" in again
    assert "val/rmse by epoch" in report.page.read_text()
