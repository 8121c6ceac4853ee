"""Predictions of a finished run: the same with all parties here and with a process for each."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import torch
from job import SMALL, configuration, run
from running import QUICK

from vertical_lightning.config.one_party import configuration_of
from vertical_lightning.distributed.spawn import spawn
from vertical_lightning.run.predict import predict_party

pytestmark = pytest.mark.filterwarnings("ignore")

JOB = [*SMALL, *QUICK, "partition=halves", "trainer.max_epochs=3"]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, float]]:
    folder = tmp_path_factory.mktemp("run")
    return folder, run(folder, *JOB)


def settings(folder: Path, *words: str) -> tuple[Path, list[str]]:
    return folder / "out.csv", [*JOB, *words, f"+out={folder / 'out.csv'}", "+split=test"]


def test_as_many_are_right_as_the_test_said(finished: tuple[Path, dict[str, float]], tmp_path: Path) -> None:
    out, words = settings(tmp_path, f"ckpt_path={finished[0]}")
    predict_party(configuration(tmp_path, *words))
    table = pd.read_csv(out, dtype={"predicted": str})
    chances = table.filter(like="probability_")
    assert torch.tensor(chances.sum(axis=1).to_numpy()).allclose(torch.ones(len(table), dtype=torch.float64))
    assert (chances.idxmax(axis=1).str.removeprefix("probability_") == table["predicted"]).all()
    labels = table["id"].str.removeprefix("test-").astype(int) % 10
    assert (labels == table["predicted"].astype(int)).mean() == pytest.approx(finished[1]["test/accuracy"])


def test_processes_say_the_same(finished: tuple[Path, dict[str, float]], tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    one, words = settings(tmp_path / "one", f"ckpt_path={finished[0]}")
    predict_party(configuration(tmp_path / "one", *words))
    several, words = settings(tmp_path, f"ckpt_path={finished[0]}", "execution=gloo")
    config = configuration(tmp_path / "apart", *words)
    spawn({name: configuration_of(config, name) for name in ("alice", "carol", "bob")}, predict_party)
    assert several.read_text() == one.read_text()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run=nowhere"], "is no folder"),
        ([], "run is missing"),
        (["run=.", "split=half"], "none of train, val, test"),
        (["run=.", "out=."], "nothing is overwritten"),
    ],
)
def test_the_command_says_what_is_wrong(words: list[str], said: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "vertical_lightning.commands.predict", *words]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode != 0 and said in done.stderr and "Traceback" not in done.stderr
