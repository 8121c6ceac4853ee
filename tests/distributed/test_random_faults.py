"""Parties killed and frozen at random moments of a run; every run goes on, and ends as if nothing had happened."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from job import SMALL, run
from resumable import equal
from running import QUICK, Running, wait
from two_runs import weights

pytestmark = pytest.mark.filterwarnings("ignore")

EPOCHS = 40
JOB = [
    *("architecture=tabular", "cut=1", "optimizer=sgd", "optimizer.momentum=0.9", f"trainer.max_epochs={EPOCHS}"),
    *("execution.timeout=3", "execution.patience=10", "psi.cache=false"),
]
PARTIES = ("alice", "carol", "bob")
START, START_SHARE = 1.5, 10
"""Seconds from a party's start to its first epoch, about, and how many epochs' share of the faults they get."""

QUICKLY, ALL = 16, 60
"""Faults that slow tests try, and exhaustive ones."""

WORDS = ["execution=gloo", "partition=halves", *SMALL, *QUICK, *JOB]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """How the run ends that nobody disturbs."""
    folder = tmp_path_factory.mktemp("undisturbed")
    return end(folder, run(folder, *WORDS))


def end(folder: Path, metrics: dict[str, float]) -> dict[str, Any]:
    """Return weights, optimizers, step and test metrics."""
    return weights(folder) | {name: value for name, value in metrics.items() if name.startswith("test/")}


def disturb(running: Running, party: str, number: int, moment: float) -> None:
    """Send a party a signal when so many epochs are saved, and before the first at a time; the run may be done by then."""
    wait(lambda: len(multiprocessing.active_children()) == len(PARTIES) or not running.alive, "the parties")
    found = {process.name: process for process in multiprocessing.active_children()}
    if moment < 0:
        time.sleep(START * (1 + moment / START_SHARE))
    else:
        wait(lambda: running.saved() >= moment or not running.alive, "the epoch")
        time.sleep(0.1 * (moment % 1))
    if party in found and found[party].is_alive():
        os.kill(found[party].pid, number)


@pytest.mark.parametrize(
    "seed",
    [pytest.param(seed, marks=pytest.mark.slow if seed < QUICKLY else pytest.mark.exhaustive) for seed in range(ALL)],
)
def test_a_fault_at_a_random_moment(seed: int, undisturbed: dict[str, Any], tmp_path: Path) -> None:
    chance = random.Random(seed)
    party, number = chance.choice(PARTIES), chance.choice((signal.SIGKILL, signal.SIGSTOP))
    wire, moment = chance.choice(("gloo", "grpc")), chance.uniform(-START_SHARE, EPOCHS)
    running = Running(tmp_path / "disturbed", *JOB, f"execution={wire}")
    disturb(running, party, number, moment)
    running.ended()
    folder = tmp_path / "disturbed"
    if not running.error:  # it was done before
        metrics = json.loads((folder / "metrics.json").read_text())
    else:
        assert party in running.error, running.error
        saved = all((folder / one / "checkpoints" / "last.ckpt").is_dir() for one in PARTIES)
        metrics = run(tmp_path / "on", *WORDS, f"execution={wire}", *([f"ckpt_path={folder}"] if saved else []))
        folder = tmp_path / "on" if list(tmp_path.glob("on/*/checkpoints")) else folder  # where all epochs were done before
    found = end(folder, metrics)
    different = [name for name, value in found.items() if not equal(value, undisturbed[name])]
    told = f"{party} {number.name} at epoch {moment:.2f} over {wire}"
    assert found.keys() == undisturbed.keys() and not different, told
    print(told, "--", running.error or "done before")
