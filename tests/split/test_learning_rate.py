"""A learning rate follows its schedule by epochs, by batches or by a metric; a checkpoint's settings are told of."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from job import SMALL, run
from running import QUICK
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch.optim import lr_scheduler

from vertical_lightning.split.learning_rate import LearningRateSchedule

pytestmark = pytest.mark.filterwarnings("ignore")

JOB = [*SMALL, *QUICK, "optimizer=sgd", "trainer.max_epochs=4"]


def rates(folder: Path, party: str = "alice") -> list[float]:
    """The rate with which each epoch began."""
    read = EventAccumulator(str(folder), size_guidance={"scalars": 0}).Reload()
    return [event.value for event in read.Scalars(f"lr/{party}")]


def test_one_cycle_goes_up_and_down_within_the_run(tmp_path: Path) -> None:
    run(tmp_path, *JOB, "scheduler=one_cycle", "optimizer.lr=0.5")
    found = rates(tmp_path)
    assert found[0] == pytest.approx(0.5 / 25)
    assert max(found) > 0.4 and found[-1] < 0.5 * found[1]


def test_cosine_falls_by_epochs_or_batches(tmp_path: Path) -> None:
    for interval in ("epoch", "step"):
        run(tmp_path / interval, *JOB, "scheduler=cosine", f"scheduler.interval={interval}", "optimizer.lr=1.0")
        assert rates(tmp_path / interval) == pytest.approx([1.0, 0.854, 0.5, 0.146], abs=1e-3), interval


def test_a_party_may_step_in_its_own_way(tmp_path: Path) -> None:
    own = ["+scheduler.parties.alice.interval=step", "+scheduler.parties.alice.step_size=1000"]
    run(tmp_path, *JOB, "scheduler=step", "scheduler.step_size=1", "scheduler.gamma=0.5", "optimizer.lr=1.0", *own)
    assert rates(tmp_path) == [1.0] * 4
    assert rates(tmp_path, "bob") == [1.0, 0.5, 0.25, 0.125]


def test_a_plateau_waits_for_its_metric(tmp_path: Path) -> None:
    never_better = ["scheduler.patience=0", "+scheduler.threshold=1e9", "+scheduler.threshold_mode=abs", "optimizer.lr=1.0"]
    run(tmp_path, *JOB, "scheduler=plateau", *never_better)
    assert rates(tmp_path) == pytest.approx([1.0, 1.0, 0.1, 0.01])


def test_an_unknown_metric_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"monitor=val/los.*val/loss"):
        run(tmp_path, *JOB, "scheduler=plateau", "scheduler.monitor=val/los")


def test_what_could_never_step_is_refused() -> None:
    with pytest.raises(ValueError, match="neither epoch nor step"):
        LearningRateSchedule(partial(lr_scheduler.StepLR, step_size=1), "batch")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"needs scheduler\.monitor"):
        LearningRateSchedule(partial(lr_scheduler.ReduceLROnPlateau))
    with pytest.raises(ValueError, match="needs to know its end"):
        LearningRateSchedule(partial(lr_scheduler.CosineAnnealingLR, T_max=None)).length(None)


def test_what_a_checkpoint_overrides_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(tmp_path / "first", *JOB, "trainer.max_epochs=1", "optimizer.lr=0.1", "scheduler=step")
    capsys.readouterr()
    words = ["optimizer.lr=0.2", "scheduler=step", "scheduler.gamma=0.3", f"ckpt_path={tmp_path / 'first'}"]
    run(tmp_path / "second", *JOB, "trainer.max_epochs=2", *words)
    said = capsys.readouterr().out
    for party in ("alice", "bob"):
        assert f"{party}'s lr is 0.1, as in the checkpoint, not 0.2" in said
        assert f"{party}'s scheduler.gamma is 0.1, as in the checkpoint, not 0.3" in said
    assert "momentum" not in said
    run(tmp_path / "third", *JOB, "trainer.max_epochs=2", "optimizer.lr=0.1", "scheduler=step", words[-1])
    assert "as in the checkpoint" not in capsys.readouterr().out
