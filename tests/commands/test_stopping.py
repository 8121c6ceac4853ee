"""SIGTERM ends a command at once, with status 143, its reason and how to go on; everybody else is told."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from running import QUICK

from vertical_lightning.config.stopping import Terminated, reason, stoppable
from vertical_lightning.distributed.transport.failure import told

HELPERS = Path(__file__).parents[1] / "helpers"
LONG = 120.0
TRAIN = ["data._target_=small_images.SmallImages", "batch_size=32", *QUICK, "partition=halves", "trainer.accelerator=cpu"]


class Command:
    """A command, as typed."""

    def __init__(self, folder: Path, name: str, *words: str) -> None:
        self.log = folder / f"{name}.txt"
        module = {"vl-train": "train", "vl-party": "party"}[name]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", f"vertical_lightning.commands.{module}", *words],
                cwd=folder,
                env=os.environ | {"PYTHONPATH": f"{HELPERS}:{os.environ.get('PYTHONPATH', '')}", "OMP_WAIT_POLICY": "PASSIVE"},
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    @property
    def said(self) -> str:
        return self.log.read_text()

    def until(self, reached: Callable[[], object]) -> None:
        ends = time.monotonic() + LONG
        while not reached():
            assert self.process.poll() is None and time.monotonic() < ends, self.said[-3000:]
            time.sleep(0.05)

    def terminate(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(LONG)


@pytest.fixture
def command(tmp_path: Path) -> Iterator[Callable[..., Command]]:
    started: list[Command] = []

    def start(name: str, *words: str) -> Command:
        started.append(Command(tmp_path, name, *words))
        return started[-1]

    yield start
    for one in started:
        one.process.kill()
        one.process.wait()


def test_who_is_told_what() -> None:
    assert told(Terminated(), "bob") == ("bob", "SIGTERM")
    assert told(KeyboardInterrupt(), "bob") == ("bob", "Ctrl-C")
    assert reason(SystemExit(3)) is None


def interrupted(number: int) -> None:
    try:
        os.kill(os.getpid(), number)
        time.sleep(LONG)
    except KeyboardInterrupt:
        if number == signal.SIGTERM:
            os.kill(os.getpid(), number)
            time.sleep(0.01)
        sys.exit(1)


@pytest.fixture
def heard() -> Iterator[None]:
    """Ctrl-C is heard, also where a shell has started the tests in the background: it lets those ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heard")
@pytest.mark.parametrize(("number", "status", "name"), [(signal.SIGTERM, 143, "SIGTERM"), (signal.SIGINT, 130, "Ctrl-C")])
def test_the_first_signal_counts(number: int, status: int, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """As Lightning ends it: the interrupt becomes a SystemExit of its own; a second signal does not disturb what cleans up."""
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as left, stoppable(lambda: "To go on: the same."):
        interrupted(number)
    assert left.value.code == status
    assert capsys.readouterr().err == f"stopped by {name}. To go on: the same.\n"
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize("wire", ["gloo", pytest.param("grpc", marks=pytest.mark.slow)])
def test_a_party_that_waits_for_the_others(wire: str, command: Callable[..., Command]) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    party = command("vl-party", "name=alice", f"rendezvous=127.0.0.1:{port}", f"execution={wire}", *TRAIN)
    party.until(lambda: "alice waits at" in party.said)
    assert party.terminate() == 143
    assert party.said.endswith(
        "stopped by SIGTERM. No checkpoint has been written meanwhile; start all parties again with the same commands.\n"
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)])
def test_parties_of_one_machine(number: int, command: Callable[..., Command], tmp_path: Path) -> None:
    run = command(
        "vl-train",
        *TRAIN,
        "execution=gloo",
        "trainer.max_epochs=10000",
        f"hydra.run.dir={tmp_path}/run",
        "architecture=tabular",
    )
    run.until(lambda: len(list(tmp_path.glob("run/*/checkpoints/last.ckpt"))) == 3)
    run.process.send_signal(number)
    assert run.process.wait(LONG) == (143 if number == signal.SIGTERM else 130)
    assert (
        f"stopped by {'SIGTERM' if number == signal.SIGTERM else 'Ctrl-C'}. To go on: the same command with ckpt_path="
        in run.said
    )
    for party in ("alice", "carol", "bob"):
        said = (tmp_path / "run" / party / "output.txt").read_text()
        assert "has stopped" in said and "SIGTERM" in said, said[-500:]


@pytest.mark.slow
def test_one_process(command: Callable[..., Command], tmp_path: Path) -> None:
    run = command("vl-train", *TRAIN, "trainer.max_epochs=10000", f"hydra.run.dir={tmp_path}/run")
    run.until(lambda: list(tmp_path.glob("run/checkpoints/last.ckpt/*.ckpt")))
    assert run.terminate() == 143
    assert f"stopped by SIGTERM. To go on: the same command with ckpt_path={tmp_path}/run." in run.said


@pytest.mark.slow
def test_a_sweep(command: Callable[..., Command], tmp_path: Path) -> None:
    words = ["trainer.max_epochs=10000", "checkpoint=last", f"hydra.sweep.dir={tmp_path}/sweep"]
    run = command("vl-train", "-m", "seed=1,2", *TRAIN, *words)
    run.until(lambda: list(tmp_path.glob("sweep/*/checkpoints/last.ckpt/*.ckpt")))
    assert run.terminate() == 143
    assert "stopped by SIGTERM. To go on: the same command with sweep.resume=true" in run.said
