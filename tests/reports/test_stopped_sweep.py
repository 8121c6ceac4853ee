"""A sweep that is stopped ends in the report of what is finished."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf
from sweep_folder import job, sweep

from vertical_lightning.sweep.grid_sweeper import GridSweeper


class Stopped:
    """A launcher that is stopped after two jobs."""

    def launch(self, jobs: Any, initial_job_idx: int) -> Any:
        raise SystemExit(143)


def made(folder: Path) -> GridSweeper:
    sweeper = GridSweeper()
    sweeper.launcher = Stopped()  # type: ignore[assignment]
    sweeper.config = OmegaConf.create({"hydra": {"sweep": {"dir": str(folder)}}})
    return sweeper


def test_what_is_finished_is_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = sweep(tmp_path / "sweep", ("cut",), objective=[])
    for number, cut in enumerate((1, 2)):
        job(folder, number, {"cut": cut}, {"val/accuracy": 0.8 + 0.1 * number})
    with pytest.raises(SystemExit):
        made(folder).launch([["cut=1"], ["cut=2"], ["cut=3"]])
    assert "Best: cut=2, with val/accuracy 0.9000" in capsys.readouterr().out
    assert (folder / "report.html").is_file()


def test_where_nothing_is_finished_nothing_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = sweep(tmp_path / "sweep", ("cut",), objective=[])
    with pytest.raises(SystemExit):
        made(folder).launch([["cut=1"]])
    assert capsys.readouterr().out == ""
