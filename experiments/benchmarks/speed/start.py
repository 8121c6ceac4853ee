"""How long until something happens: --help, the first step; and what part of a sweep is training."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import pytorch_lightning as pl

HERE = Path(__file__).parent
SWEEP = ["-m", "architecture=mlp,lenet", "cut=1,2", "seed=0,1,2", "partition=halves", "trainer.accelerator=cpu"]


class FirstStep(pl.Callback):
    """Writes down when the first batch has been trained.

    Args:
        file: Where to.
    """

    def __init__(self, file: str) -> None:
        self.file = Path(file)

    def on_train_batch_end(self, *_: object) -> None:
        if not self.file.exists():
            self.file.write_text(str(time.time()))


EMPTY = """
import hydra
@hydra.main(version_base="1.3", config_path=None)
def run(config): ...
run()
"""


def command(words: list[str], program: Sequence[str] = ("vl-train",)) -> float:
    """Run a command line; return its seconds."""
    environment = os.environ | {"PYTHONPATH": str(HERE), "CUDA_VISIBLE_DEVICES": ""}
    began = time.perf_counter()
    subprocess.run([*program, *words], check=True, capture_output=True, env=environment)
    return time.perf_counter() - began


def first_step(folder: Path) -> float:
    """Return seconds from the command to the end of its first step, alignment included."""
    file = folder / "first"
    began = time.time()
    words = ["+callbacks.first._target_=start.FirstStep", f"+callbacks.first.file={file}"]
    command([*words, "trainer.max_steps=1", "psi.cache=false", f"hydra.run.dir={folder / 'run'}"])
    return float(file.read_text()) - began


def measure(rounds: int) -> dict[str, Any]:
    """Return medians in seconds, and the part of a sweep of 12 jobs that is fit."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "empty.py").write_text(EMPTY)
        empty = (sys.executable, str(folder / "empty.py"))
        helped = [(command(["--help"]), command(["--help"], empty)) for _ in range(2 * rounds + 1)][1:]
        steps = []
        for number in range(rounds):
            (folder / str(number)).mkdir()
            steps.append(first_step(folder / str(number)))
        wall = command([*SWEEP, f"hydra.sweep.dir={folder / 'sweep'}"])
        jobs = list((folder / "sweep").glob("*/metrics.json"))
        fit = sum(json.loads(job.read_text())["time/fit_seconds"] for job in jobs)
    ours, plain = (median(taken) for taken in zip(*helped, strict=True))
    sweep = {"jobs": len(jobs), "wall": wall, "fit": fit}
    return {"help": ours, "empty help": plain, "first step": median(steps), "sweep": sweep}
