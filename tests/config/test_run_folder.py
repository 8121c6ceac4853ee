"""A run's folder belongs to one run."""

from __future__ import annotations

import fcntl
from pathlib import Path

import pytest
from omegaconf import DictConfig, OmegaConf

from vertical_lightning.config.run_folder import RunFolder, _locks, forget


def settings(folder: Path, ckpt_path: str | None = None, record: str | None = ".hydra") -> DictConfig:
    places = {"run": {"dir": str(folder)}, "sweep": {"dir": str(folder)}, "output_subdir": record}
    return OmegaConf.create({"hydra": places, "ckpt_path": ckpt_path})


@pytest.fixture(autouse=True)
def no_lock_is_left() -> object:
    yield
    while _locks:
        _locks.pop().close()


@pytest.mark.parametrize("result", ["metrics.json", "checkpoints/last.ckpt", "alice/checkpoints/last.ckpt"])
def test_a_second_run_is_refused_unless_it_goes_on(result: str, tmp_path: Path) -> None:
    (tmp_path / result).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / result).touch()
    with pytest.raises(SystemExit, match="holds a run already"):
        RunFolder().on_run_start(settings(tmp_path))
    with pytest.raises(SystemExit, match="holds a run already"):
        RunFolder().on_run_start(settings(tmp_path, ckpt_path=f"{tmp_path}/../other"))
    RunFolder().on_run_start(settings(tmp_path, ckpt_path=f"{tmp_path}/checkpoints/last.ckpt"))


def test_two_at_once_are_refused(tmp_path: Path) -> None:
    RunFolder().on_run_start(settings(tmp_path))
    for start in (RunFolder().on_run_start, RunFolder().on_multirun_start):
        with pytest.raises(SystemExit, match=r"in use by a run in process \d+"):
            start(settings(tmp_path))
    _locks.pop().close()
    RunFolder().on_run_start(settings(tmp_path))


def test_commands_without_a_record_take_no_folder(tmp_path: Path) -> None:
    (tmp_path / "metrics.json").touch()
    RunFolder().on_run_start(settings(tmp_path, record=None))
    assert not (tmp_path / ".lock").exists()


@pytest.mark.parametrize("left", [".hydra", "vl-train.log", "metrics.json", "alice"])
def test_what_never_began_leaves_no_folder(left: str, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    (folder / ".hydra").mkdir(parents=True)
    (folder / left).mkdir() if left == "alice" else (folder / left).exists() or (folder / left).touch()
    forget(folder)
    assert folder.exists() == (left in ("metrics.json", "alice"))


def test_the_lock_is_the_systems(tmp_path: Path) -> None:
    """So that it is gone with the process, however that ends."""
    RunFolder().on_run_start(settings(tmp_path))
    with (tmp_path / ".lock").open() as other, pytest.raises(BlockingIOError):
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
