"""When a party is killed, frozen or fails: everybody stops, says whose fault it is, and the run can go on."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from job import SMALL, run
from running import QUICK, Running
from two_runs import weights

from vertical_lightning.distributed.spawn import wait_for

pytestmark = pytest.mark.filterwarnings("ignore")

WIRES = ["gloo", "grpc"]


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("party", ["alice", "bob"])
def test_killed(party: str, wire: str, tmp_path: Path) -> None:
    running = Running(tmp_path, f"execution={wire}")
    os.kill(running.until_epoch()[party].pid, signal.SIGKILL)
    running.ended()
    assert f"{party} was killed (signal 9)" in running.error
    assert f"ckpt_path={tmp_path}" in running.error
    for other in {"alice", "carol", "bob"} - {party}:
        assert f"{party} is lost" in running.said(other)


@pytest.mark.parametrize("wire", WIRES)
def test_frozen(wire: str, tmp_path: Path) -> None:
    running = Running(tmp_path, f"execution={wire}", "execution.timeout=2")
    os.kill(running.until_epoch()["carol"].pid, signal.SIGSTOP)
    running.ended()
    assert "carol does not answer" in running.error
    assert "carol is lost" in running.said("bob") and "carol is lost" in running.said("alice")


class Child:
    """A party's process as its parent sees it."""

    def __init__(self, exitcode: int | None) -> None:
        self.exitcode = exitcode
        self.sentinel, self.written = os.pipe()

    def is_alive(self) -> bool:
        return self.exitcode is None


@pytest.mark.parametrize("code", [0, -9])
def test_the_clock_starts_with_the_first_that_ends_however_it_ends(code: int) -> None:
    ended = wait_for({"alice": Child(code), "carol": Child(None)}, grace=0.2)
    assert ended == {"alice": code, "carol": None}


@pytest.mark.slow
def test_frozen_near_the_end(tmp_path: Path) -> None:
    """The others are done, and leave in good order; the run does not wait for ever."""
    freeze = ["+callbacks.freeze._target_=running.Freeze", "+callbacks.freeze.party=carol"]
    running = Running(tmp_path, "execution.timeout=2", "trainer.max_epochs=1", *freeze)
    running.ended()
    assert "the run has broken off: carol does not answer" in running.error
    for party in ("alice", "bob"):
        assert (tmp_path / party / "metrics.json").is_file()


@pytest.mark.parametrize("wire", WIRES)
def test_an_error_of_one_reaches_the_others_as_such_and_without_its_words(wire: str, tmp_path: Path) -> None:
    running = Running(tmp_path, f"execution={wire}", "+callbacks.bomb._target_=running.Bomb", "+callbacks.bomb.party=carol")
    running.ended()
    assert "KeyError" in running.said("carol") and "a secret of this party" in running.said("carol")
    for other in ("alice", "bob"):
        assert "carol has stopped with KeyError" in running.said(other)
        assert "secret" not in running.said(other)


def test_interrupted(tmp_path: Path) -> None:
    running = Running(tmp_path)
    os.kill(running.until_epoch()["alice"].pid, signal.SIGINT)
    running.ended()
    assert "alice has stopped with Ctrl-C" in running.said("bob")


def test_a_slow_party_is_waited_for(tmp_path: Path) -> None:
    """It shows that it lives, so the timeout does not count."""
    slow = ["+callbacks.slow._target_=running.Slow", "+callbacks.slow.party=carol", "+callbacks.slow.seconds=7"]
    run(tmp_path, *SMALL, *QUICK, "partition=halves", "execution=gloo", "execution.timeout=2", "trainer.max_epochs=1", *slow)
    assert "bob waits for carol: the embedding carol->bob" in (tmp_path / "bob" / "output.txt").read_text()


def test_a_party_that_takes_too_long_is_given_up(tmp_path: Path) -> None:
    slow = ["+callbacks.slow._target_=running.Slow", "+callbacks.slow.party=carol", "+callbacks.slow.seconds=6"]
    running = Running(tmp_path, "execution.timeout=20", "execution.patience=3", *slow)
    running.ended()
    assert "lives, but has not sent the embedding carol->bob" in running.said("bob")


def test_a_killed_run_goes_on_bit_identically(tmp_path: Path) -> None:
    """Killed while one party may have saved an epoch more than another; then the run that nobody killed."""
    words = ["architecture=tabular", "cut=1", "optimizer=sgd", "optimizer.momentum=0.9"]
    running = Running(tmp_path / "killed", *words)
    os.kill(running.until_epoch(3)["carol"].pid, signal.SIGKILL)
    running.ended()
    epochs = 12
    common = [*SMALL, *QUICK, "execution=gloo", "partition=halves", f"trainer.max_epochs={epochs}", *words]
    found = [{one.name for one in folder.iterdir()} for folder in (tmp_path / "killed").glob("*/checkpoints")]
    name = max(set.intersection(*found) - {"last.ckpt"})
    if int(name[6:9]) >= epochs:
        pytest.skip("the run was too quick to be killed early")
    assert f"ckpt_path={tmp_path / 'killed' / name}" in running.error
    run(tmp_path / "on", *common, f"ckpt_path={tmp_path / 'killed' / name}")
    run(tmp_path / "whole", *common)
    ours, theirs = weights(tmp_path / "on"), weights(tmp_path / "whole")
    assert repr(ours) == repr(theirs) and ours["step"] == theirs["step"]
