"""How long until something happens: --help, the first step; and what part of a sweep is training."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
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


def command(words: list[str]) -> float:
    """Run a command line; return its seconds."""
    environment = os.environ | {"PYTHONPATH": str(HERE), "CUDA_VISIBLE_DEVICES": ""}
    began = time.perf_counter()
    subprocess.run(["vl-train", *words], check=True, capture_output=True, env=environment)
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
        helped = [command(["--help"]) for _ in range(rounds + 1)][1:]
        steps = []
        for number in range(rounds):
            (folder / str(number)).mkdir()
            steps.append(first_step(folder / str(number)))
        wall = command([*SWEEP, f"hydra.sweep.dir={folder / 'sweep'}"])
        jobs = list((folder / "sweep").glob("*/metrics.json"))
        fit = sum(json.loads(job.read_text())["time/fit_seconds"] for job in jobs)
    return {"help": median(helped), "first step": median(steps), "sweep": {"jobs": len(jobs), "wall": wall, "fit": fit}}
