"""Which step is saved, tested and predicted with: always the last, and the best where a metric is monitored."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import pytorch_lightning as pl
import torch
from job import SMALL, configuration, run
from running import QUICK
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from two_runs import comparable

from vertical_lightning.commands.predict import weights_of
from vertical_lightning.config.best import best_of, kept, megabytes_of
from vertical_lightning.run.predict import predict_party
from vertical_lightning.split.checkpoint_file import read

pytestmark = pytest.mark.filterwarnings("ignore")

JOB = [*SMALL, *QUICK, "partition=halves", "optimizer=sgd", "optimizer.lr=0.5", "trainer.max_epochs=4"]
WHEN = {
    "every epoch": [],
    "every second epoch": ["trainer.check_val_every_n_epoch=3"],
    "within epochs": ["+trainer.val_check_interval=2"],
    "in the middle of an epoch": ["trainer.max_steps=8"],
}


class Break(pl.Callback):
    """Ends a run when it is to be tested."""

    def on_test_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        raise RuntimeError("no power")


def curve(folder: Path, tag: str) -> list[float]:
    return [event.value for event in EventAccumulator(str(folder), size_guidance={"scalars": 0}).Reload().Scalars(tag)]


def predicted(run_folder: Path, folder: Path, *words: str) -> float:
    """Share of right predictions on the test rows, as `vl-predict` gives them."""
    config = configuration(folder, *words, f"+run={run_folder}", f"+out={folder / 'out.csv'}", "+split=test")
    config.ckpt_path = str(weights_of(config))
    folder.mkdir()
    predict_party(config)
    table = pd.read_csv(folder / "out.csv", dtype={"predicted": str})
    return float((table["id"].str.removeprefix("test-").astype(int) % 10 == table["predicted"].astype(int)).mean())


@pytest.mark.parametrize("monitor", ["null", "val/loss", pytest.param("val/accuracy", marks=pytest.mark.slow)])
@pytest.mark.parametrize("when", WHEN)
def test_the_last_step_is_saved_and_predictions_are_those_that_were_reported(when: str, monitor: str, tmp_path: Path) -> None:
    words = [*JOB, *WHEN[when], f"callbacks.checkpoint.monitor={monitor}"]
    metrics = run(tmp_path / "run", *words)
    last = read(tmp_path / "run" / "checkpoints" / "last.ckpt" / "bob.ckpt")
    steps = 8 if "max_steps" in str(words) else 4 * last["global_step"] // (last["epoch"] + 1)
    assert last["global_step"] == steps
    found = predicted(tmp_path / "run", tmp_path / "out", *words)
    assert torch.tensor(found).item() == metrics["test/accuracy"], "in single precision, as Lightning logs"


@pytest.mark.parametrize(("monitor", "best"), [("val/loss", min), ("val/accuracy", max)])
def test_the_best_is_the_best(monitor: str, best: object, tmp_path: Path) -> None:
    run(tmp_path, *JOB, "optimizer.lr=3.0", f"callbacks.checkpoint.monitor={monitor}")
    found = curve(tmp_path, monitor)
    assert len(set(found)) > 1
    saved = read(tmp_path / "checkpoints" / "best.ckpt" / "bob.ckpt")
    assert saved["metrics"][monitor] == pytest.approx(best(found)) and saved["epoch"] == found.index(best(found))  # type: ignore[operator]
    assert read(tmp_path / "checkpoints" / "last.ckpt" / "bob.ckpt")["epoch"] == 3


def test_both_can_be_asked_for(tmp_path: Path) -> None:
    words = [
        *JOB,
        "callbacks.checkpoint.monitor=val/loss",
        "callbacks.checkpoint.mode=max",
    ]  # the worst is another than the last
    found = {which: run(tmp_path / which, *words, f"test={which}")["test/loss"] for which in ("best", "last")}
    assert found["best"] != found["last"]
    assert found["last"] == run(tmp_path / "none", *words, "callbacks.checkpoint.monitor=null")["test/loss"]
    assert run(tmp_path / "null", *words)["test/loss"] == found["best"], "what is monitored is tested"


def test_whoever_stops_early_keeps_and_tests_the_best(tmp_path: Path) -> None:
    config = configuration(
        tmp_path, *JOB, "callbacks=[default,early_stopping]", "callbacks.early_stopping.monitor=val/accuracy"
    )
    assert config.callbacks.checkpoint.monitor == "val/accuracy"
    assert best_of(config) == tmp_path / "checkpoints" / "best.ckpt"


@pytest.mark.parametrize(("words", "said"), [(["test=best"], "needs a metric"), (["test=first"], "neither best nor last")])
def test_what_cannot_be_tested(words: list[str], said: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=said):
        run(tmp_path, *JOB, *words)


@pytest.mark.parametrize(
    ("when", "monitor"),
    [("every epoch", "null"), ("within epochs", "val/loss"), pytest.param("within epochs", "null", marks=pytest.mark.slow)],
)
def test_broken_off_before_the_test_and_gone_on_with_all_metrics_are_there(
    when: str, monitor: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = [*JOB, *WHEN[when], f"callbacks.checkpoint.monitor={monitor}"]
    whole = run(tmp_path / "whole", *words)
    with pytest.raises(RuntimeError, match="no power"):
        run(tmp_path / "broken", *words, f"+callbacks.break._target_={__name__}.Break")
    resumed = run(tmp_path / "broken", *words, f"ckpt_path={tmp_path / 'broken'}")
    assert comparable(resumed) == comparable(whole)
    ours, theirs = (read(tmp_path / one / "checkpoints" / "last.ckpt" / "bob.ckpt") for one in ("broken", "whole"))
    assert all(torch.equal(ours["state_dict"][name], value) for name, value in theirs["state_dict"].items())


@pytest.mark.parametrize("parties", [[], ["execution=gloo"]], ids=["one", "apart"])
def test_none_may_be_kept(parties: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    metrics = run(tmp_path, *JOB, "trainer.max_epochs=1", "checkpoint=none", *parties)
    assert metrics["test/accuracy"] > 0 and not list(tmp_path.rglob("*.ckpt"))
    with pytest.raises(ValueError, match="checkpoint=last"):
        run(tmp_path / "on", *JOB, f"ckpt_path={tmp_path}")


def test_jobs_of_a_sweep_keep_none_unless_they_watch_a_metric(tmp_path: Path) -> None:
    watching = ["callbacks.checkpoint.monitor=val/loss"]
    for words, alone, in_sweep in ([], "last", "none"), (["checkpoint=last"], "last", "last"), (watching, "last", "last"):
        config = configuration(tmp_path, *JOB, *words)
        assert (kept(config, in_sweep=False), kept(config, in_sweep=True)) == (alone, in_sweep), words


def test_a_folders_size_counts_no_link_twice(tmp_path: Path) -> None:
    run(tmp_path, *JOB, "trainer.max_epochs=1")
    files = [file for file in (tmp_path / "checkpoints" / "last.ckpt").resolve().iterdir()]
    assert megabytes_of(tmp_path) == sum(file.stat().st_size for file in files) / 1e6 > 0
