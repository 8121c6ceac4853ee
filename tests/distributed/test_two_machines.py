"""The quick start for two machines, word for word, on two machines: network namespaces, joined by a cable that can be cut."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from namespaces import Machines, reason_why_not, two_machines

ROOT = Path(__file__).parents[2]

PARTIES = ("bank", "bureau")
OWN_FILES = {"bank": ["bank.csv"], "bureau": ["bureau.csv"]}
SEEDS = "party_seed=0 threads=1 trainer.accelerator=cpu"
GLOO = "execution=gloo execution.insecure=true"
PATIENCE = 240.0
ROWS = 12_000
"""Of each file, so that alignment takes little time; a file's rows come in random order."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(reason_why_not() is not None, reason=str(reason_why_not())),
    pytest.mark.skipif(shutil.which("openssl") is None, reason="the quick start makes its certificates with openssl"),
]


def quick_start() -> str:
    """The page that a newcomer follows."""
    return (ROOT / "docs" / "two-machines.md").read_text()


def blocks(text: str) -> list[tuple[str, str]]:
    """Language and text of each fenced block."""
    return re.findall(r"^```(\w*)\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def place(block: str) -> str:
    """The machine that a block's first line names."""
    (party,) = re.findall(rf"^# at the ({'|'.join(PARTIES)})", block)
    return str(party)


COMMANDS = [block for language, block in blocks(quick_start()) if not language]
PREPARE = [block for block in COMMANDS if "vl-party" not in block]
START = {place(block): block for block in COMMANDS if "vl-party" in block}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder a party, with what it has when it starts: all that the quick start says before."""
    folder = tmp_path_factory.mktemp("quick_start")
    (written,) = [block for language, block in blocks(quick_start()) if language == "yaml"]
    run("vl-partition data=credit out=parties", folder)
    for party in PARTIES:
        shared = folder / party / re.findall(r"`(\S+\.yaml)`", quick_start())[0]
        shared.parent.mkdir(parents=True)
        shared.write_text(written)
        lines = (folder / "parties" / f"{party}.csv").read_text().splitlines(keepends=True)
        (folder / party / f"{party}.csv").write_text("".join(lines[:ROWS]))
    for block in PREPARE:
        here = place(block)
        run(block, folder / here)
        deliver(block, folder, here)
    return folder


def deliver(block: str, folder: Path, sender: str) -> None:
    """Bring the files that a block's first line says are sent to the other party."""
    said = block.partition("\n")[0].partition("sends ")[2]
    (receiver,) = (party for party in PARTIES if party != sender)
    for name in re.findall(r"\w+\.(?:csr|pem)", said):
        shutil.copy(folder / sender / name, folder / receiver)


def run(command: str, folder: Path) -> None:
    """Run commands as typed, in a folder."""
    words = ["bash", "-ec", command]
    done = subprocess.run(words, cwd=folder, env=environment(), capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, f"{command}\n{done.stderr[-3000:]}"


def environment() -> dict[str, str]:
    """This one, in which the commands of the interpreter that runs the tests are found first."""
    return os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}


@pytest.fixture
def machines() -> Iterator[Machines]:
    with two_machines(PARTIES) as made:
        yield made


class Party:
    """A party that has been started as the quick start says."""

    def __init__(self, name: str, machines: Machines, home: Path, log: Path, command: str) -> None:
        self.folder, self.log = log / name, log / f"{name}.txt"
        words = f"{command.rstrip()} hydra.run.dir={self.folder}"
        with self.log.open("w") as told:
            self.process = machines.popen(
                name, ["bash", "-ec", words], cwd=home, env=environment(), stdout=told, stderr=subprocess.STDOUT
            )

    @property
    def told(self) -> str:
        return self.log.read_text()

    def end(self, patience: float = PATIENCE) -> int:
        """Wait for the party; return its exit status."""
        try:
            return self.process.wait(patience)
        except subprocess.TimeoutExpired:
            pytest.fail(f"{self.folder.name} still runs after {patience} s:\n{self.told[-3000:]}")

    def metrics(self) -> dict[str, Any]:
        return json.loads((self.folder / "metrics.json").read_text())


def start(machines: Machines, prepared: Path, log: Path, wire: str, more: str = "") -> dict[str, Party]:
    """Start both parties; `wire` stands in the place of the certificates, if given."""
    started = {}
    for name, command in START.items():
        words = re.sub(r"\\\n +wire\..*", wire, command) if wire else command
        started[name] = Party(name, machines, prepared / name, log, f"{words.rstrip()} {SEEDS} {more}")
    return started


@pytest.fixture(scope="module")
def one_process(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The metrics of one process that may open both files."""
    folder = tmp_path_factory.mktemp("one_process")
    files = " ".join(f"data.parties.{party}.path={prepared / party / party}.csv" for party in PARTIES)
    run(f"vl-train --config-dir mine experiment=mine {files} {SEEDS} hydra.run.dir={folder}", prepared / "bank")
    return json.loads((folder / "metrics.json").read_text())


def test_keys_stay_at_home(prepared: Path) -> None:
    held = {party: {file.name for file in (prepared / party).rglob("*.*") if file.is_file()} for party in PARTIES}
    assert {"bank.key", "authority.key", "bank.csv"} <= held["bank"] and not {"bureau.key", "bureau.csv"} & held["bank"]
    assert {"bureau.key", "bureau.csv"} <= held["bureau"] and not {"bank.key", "authority.key", "bank.csv"} & held["bureau"]


@pytest.mark.parametrize("wire", ["", GLOO], ids=["as written", "gloo"])
def test_the_quick_start_gives_the_numbers_of_one_process(
    wire: str, machines: Machines, prepared: Path, one_process: dict[str, Any], tmp_path: Path
) -> None:
    parties = start(machines, prepared, tmp_path, wire)
    assert {name: party.end() for name, party in parties.items()} == dict.fromkeys(PARTIES, 0), parties["bank"].told
    found = parties["bank"].metrics()
    for name in ("test/loss", "test/accuracy", "test/auroc", "train/loss", "psi/intersection"):
        assert found[name] == one_process[name]
    for sender, receiver in (PARTIES, PARTIES[::-1]):
        tensors = found[f"wire/framed/{sender}->{receiver}"]
        assert tensors < machines.cable.bytes[sender] < 1.05 * tensors + 4e6  # alignment, and headers of TCP and TLS
    assert not machines.running()


@pytest.mark.parametrize("wire", ["", GLOO], ids=["grpc", "gloo"])
def test_a_cut_cable_ends_both(wire: str, machines: Machines, prepared: Path, tmp_path: Path) -> None:
    parties = start(machines, prepared, tmp_path, wire, "trainer.max_epochs=1000")
    wait_for_checkpoints(parties)
    machines.cable.cut()
    ended = {name: party.end(60.0) for name, party in parties.items()}
    assert all(ended.values())
    for name, party in parties.items():
        (other,) = (one for one in PARTIES if one != name)
        last = party.told[-2000:]
        assert f"{other} is lost" in last and f"ckpt_path={party.folder}" in last
    assert not machines.running()


def wait_for_checkpoints(parties: dict[str, Party]) -> None:
    """Wait until both train, and have something to go on from."""
    ends = time.monotonic() + PATIENCE
    while not all(list(party.folder.glob("checkpoints/*.ckpt")) for party in parties.values()):
        for name, party in parties.items():
            assert party.process.poll() is None, f"{name} has ended:\n{party.told[-3000:]}"
        assert time.monotonic() < ends, "no checkpoint was written"
        time.sleep(0.2)
    time.sleep(1.0)
