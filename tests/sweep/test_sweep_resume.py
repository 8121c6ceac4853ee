"""A killed sweep goes on where it was, and ends in the same summary."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pandas as pd
import pytest
from sweeps import command, environment, jobs, sweep
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

pytestmark = pytest.mark.slow

WORDS = ["cut=1,2", "seed=0,1", "trainer.max_epochs=3", "checkpoint=last"]
MEASURED = ["psi/seconds", "psi/cache_hit", "time/fit_seconds"]


def kill_after(folder: Path, finished: int, *words: str) -> None:
    """Start a sweep and kill it, with all its processes, once so many jobs have finished."""
    running = subprocess.Popen(
        command(*words),
        cwd=folder,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    begun, deadline = finished + 1, time.monotonic() + 300
    while (
        len(list(folder.glob("logs/sweeps/*/*/.hydra"))) < begun
        or len(list(folder.glob("logs/sweeps/*/*/job.json"))) < finished
    ):
        assert running.poll() is None, "the sweep ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()


def summary(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "summary.csv").drop(columns=MEASURED)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    folder = tmp_path_factory.mktemp("whole")
    assert sweep(folder, *WORDS, "hydra.sweep.dir=logs/sweeps/whole").returncode == 0
    return summary(folder / "logs" / "sweeps" / "whole")


@pytest.mark.parametrize("same_folder", [True, False])
def test_a_killed_sweep_resumes(same_folder: bool, whole: pd.DataFrame, tmp_path: Path) -> None:
    first, second = tmp_path / "logs/sweeps/first", tmp_path / f"logs/sweeps/{'first' if same_folder else 'second'}"
    kill_after(tmp_path, 2, *WORDS, f"hydra.sweep.dir={first}")
    before = {path: path.stat().st_mtime_ns for path in first.glob("*/metrics.json")}
    assert 2 <= len(before) < 4
    done = sweep(tmp_path, *WORDS, f"hydra.sweep.dir={second}", "sweep.resume=true")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("taken over, finished before") == len(before)
    assert {job["state"] for job in jobs(second).values()} == {"completed"}
    assert len(jobs(second)) == 4
    assert {path: path.stat().st_mtime_ns for path in before} == before, "a finished job was run again"
    pd.testing.assert_frame_equal(summary(second), whole)
    for folder in second.glob("*_*"):
        points = EventAccumulator(str(folder)).Reload().Scalars("train/loss")
        assert len(points) == 3, "one an epoch; an interrupted attempt's curves are in the way"
        for phase in ("train", "val"):
            points = EventAccumulator(str(folder / phase)).Reload().Scalars("epoch/loss")
            assert [point.step for point in points] == [1, 2, 3]
        assert (folder / "checkpoints" / "last.ckpt").exists()


def test_a_job_taken_over_is_a_job_of_the_new_sweep(tmp_path: Path) -> None:
    first, second = (f"hydra.sweep.dir={tmp_path}/logs/sweeps/{name}" for name in ("first", "second"))
    assert sweep(tmp_path, "cut=1", "seed=0,1", first).returncode == 0
    before = {path: path.read_bytes() for path in tmp_path.glob("logs/sweeps/first/*/*") if path.is_file()}
    done = sweep(tmp_path, "cut=1,2", "seed=0,1", "sweep.resume=true", second)
    assert done.stdout.count("taken over, finished before") == 2
    assert sorted(jobs(tmp_path / "logs/sweeps/second")) == [f"cut={cut},seed={seed}" for cut in (1, 2) for seed in (0, 1)]
    rows = pd.read_csv(tmp_path / "logs/sweeps/second/summary.csv")
    assert rows[["cut", "seed"]].values.tolist() == [[1, 0], [1, 1], [2, 0], [2, 1]]
    [folder] = tmp_path.glob("logs/sweeps/second/*_cut=1,seed=0")
    [table] = folder.glob("*.hparams")
    assert b"cut" in table.read_bytes()
    # What is done later in the new sweep leaves the old one alone.
    assert sweep(tmp_path, "cut=1,2", "seed=0,1", "batch_size=16", "sweep.resume=true", second).returncode == 0
    assert {path: path.read_bytes() for path in before} == before


def test_a_changed_configuration_is_run_anew(tmp_path: Path) -> None:
    assert sweep(tmp_path, "cut=1", "seed=0,1").returncode == 0
    done = sweep(tmp_path, "cut=1", "seed=1,2", "sweep.resume=true")
    assert done.stdout.count("taken over, finished before") == 1
    done = sweep(tmp_path, "cut=1", "seed=1,2", "batch_size=16", "sweep.resume=true")
    assert done.stdout.count("taken over, finished before") == 0
