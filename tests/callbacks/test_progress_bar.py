"""In a file a run is a line an epoch; on a terminal it is a bar."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from job import SMALL, run
from running import QUICK
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from vertical_lightning.callbacks.progress_bar import ProgressBar

pytestmark = pytest.mark.filterwarnings("ignore")

JOB = [word for word in [*SMALL, *QUICK] if "refresh_rate" not in word]


def test_a_file_gets_a_line_an_epoch(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(tmp_path, *JOB, "trainer.max_epochs=3")
    said = capsys.readouterr()
    lines = [line for line in said.out.splitlines() if line.startswith("epoch ")]
    assert [line.split(",")[0] for line in lines] == [f"epoch {number} of 3" for number in (1, 2, 3)]
    losses = [event.value for event in EventAccumulator(str(tmp_path)).Reload().Scalars("train/loss")]
    assert all(f"train/loss {loss:.4f}" in line for loss, line in zip(losses, lines, strict=True)), "of its own epoch"
    assert "\r" not in said.out + said.err


def test_a_terminal_gets_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert ProgressBar(20).refresh_rate == 20 and not ProgressBar(20).lines
    assert ProgressBar(0).is_disabled


def test_neither_is_asked_for_by_a_rate_of_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(tmp_path, *JOB, "trainer.max_epochs=1", "callbacks.progress_bar.refresh_rate=0")
    assert "epoch 1" not in capsys.readouterr().out
