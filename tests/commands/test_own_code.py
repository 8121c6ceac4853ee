"""What users add in a folder of their own: one file and one yaml each, and no edit anywhere."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from own_code import WORDS, YAML, write_own_code

import vertical_lightning


def vl(command: str, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command as its console script does, whose first place to import from is not the working directory."""
    script = f"from vertical_lightning.commands.{command} import main; main()"
    package = Path(vertical_lightning.__file__).parents[1]
    environment = {**os.environ, "PYTHONPATH": str(package), "PYTHONSAFEPATH": "1"}
    return subprocess.run(
        [sys.executable, "-c", script, *words], cwd=folder, env=environment, capture_output=True, text=True, timeout=300
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("own")
    write_own_code(made)
    return made


def test_all_of_it_together(folder: Path) -> None:
    done = vl("train", folder, *WORDS, "attack=mine")
    assert done.returncode == 0, done.stderr[-3000:]
    assert "my callback was here" in done.stdout
    assert "attacker sees" in done.stdout and "10 labels" in done.stdout
    metrics = json.loads((folder / "run" / "metrics.json").read_text())
    assert {"attack/mine/accuracy", "attack/mine/baseline", "attack/mine/auc"} < set(metrics)
    assert metrics["wire/bytes/alice->bob"] == metrics["wire/bytes/bob->alice"], "two bytes a number, both ways"
    rows = metrics["attack/mine/rows"] + 10
    assert metrics["wire/bytes/alice->bob"] == 2 * rows * 8 * 2, "two epochs of rows of eight halves, once for both steps"


@pytest.mark.parametrize("execution", ["gloo", "grpc"])
def test_between_processes_the_same(execution: str, folder: Path) -> None:
    alone, apart = (
        vl("train", folder, *WORDS, f"execution={name}", f"hydra.run.dir={execution}/{name}") for name in ("local", execution)
    )
    assert alone.returncode == apart.returncode == 0, apart.stdout[-3000:] + apart.stderr[-3000:]
    one, other = (json.loads((folder / execution / name / "metrics.json").read_text()) for name in ("local", execution))
    assert one["test/loss"] == other["test/loss"] and one["wire/bytes"] == other["wire/bytes"]


@pytest.mark.parametrize("command", ["cuts", "party"])
def test_every_command_finds_it(command: str, folder: Path) -> None:
    words = [word for word in WORDS if command == "party" or not word.startswith("hydra.run.dir")]
    done = vl(command, folder, *words, *(["--cfg", "job"] if command == "party" else []))
    assert done.returncode == 0, done.stderr[-3000:]


def test_a_sweep_over_cuts_of_it(folder: Path) -> None:
    words = [word for word in WORDS if not word.startswith(("hydra.run.dir", "cut="))]
    done = vl("train", folder, "-m", *words, "cut=all", "hydra.sweep.dir=sweep", "trainer.max_epochs=1")
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]


def test_a_file_of_the_users_does_not_hide_an_installed_package(folder: Path) -> None:
    (folder / "torchmetrics.py").write_text("raise SystemExit('the wrong one')\n")
    done = vl("train", folder, *WORDS, "hydra.run.dir=again")
    (folder / "torchmetrics.py").unlink()
    assert done.returncode == 0, done.stderr[-3000:]


def test_each_is_one_file_and_one_yaml() -> None:
    assert {name.split("/")[0] for name in YAML} == {
        *("data", "architecture", "merge", "codec", "schedule", "defense", "attack", "callbacks"),
    }
