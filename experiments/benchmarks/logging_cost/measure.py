"""Seconds a training step takes with the default callbacks and logger, without them, and without anything logged.

python experiments/benchmarks/logging_cost/measure.py [--rounds 10] [--epochs 3] [OVERRIDE …]

The three take turns in one process, on the same aligned rows and from the same weights.
"""

from __future__ import annotations

import argparse
import io
import os
import tempfile
import time
import warnings
from contextlib import redirect_stderr, redirect_stdout
from itertools import pairwise
from pathlib import Path
from statistics import mean, median

# Before torch is imported, as vl-train sets them: no spinning threads, and no driver asked at every step of Adam.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import pytorch_lightning as pl
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig
from tabulate import tabulate

from vertical_lightning.config.compose import build, config_folder
from vertical_lightning.data.datamodule import VerticalDataModule
from vertical_lightning.run.build_parts import build_module

JOBS = {"main job (mlp)": [], "lenet": ["architecture=lenet"]}
COLUMNS = ("median step", "mean step", "mean step, processor time", "all of fit / steps")
VARIANTS = ("default", "no callbacks, no logger", "nothing logged")


class Clock(pl.Callback):
    """Reads the wall's clock and the processor's when a batch starts, epoch by epoch."""

    def __init__(self) -> None:
        self.epochs: list[list[tuple[float, float]]] = []

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.epochs.append([])

    def on_train_batch_start(self, *_: object) -> None:
        self.epochs[-1].append((time.perf_counter(), time.process_time()))


def measure(variant: str, config: DictConfig, data: VerticalDataModule) -> dict[str, float]:
    """Train once; return seconds a step: the median and the mean step, and all of fit divided by its steps."""
    pl.seed_everything(config.seed, verbose=False)
    clock = Clock()
    settings = {"logger": False, "callbacks": [clock], "enable_checkpointing": False, "enable_progress_bar": False}
    if variant == "default":
        callbacks = [clock, *build(config.callbacks).values()]
        settings = {"logger": list(build(config.logger).values()), "callbacks": callbacks}
    if variant == "nothing logged":
        settings["log_every_n_steps"] = 0
    trainer = build(config.trainer)(**settings)
    module = build_module(config, data)
    started = time.perf_counter()
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        trainer.fit(module, datamodule=data)
    seconds = time.perf_counter() - started
    pairs = [pair for epoch in clock.epochs for pair in pairwise(epoch)]
    wall, processor = ([later[which] - earlier[which] for earlier, later in pairs] for which in (0, 1))
    return dict(zip(COLUMNS, (median(wall), mean(wall), mean(processor), seconds / trainer.global_step), strict=True))


def compare(overrides: list[str], rounds: int) -> list[list[str]]:
    """Let the variants take turns and return their medians over the rounds, and as ratios to those of the last variant."""
    with tempfile.TemporaryDirectory() as folder, initialize_config_dir(config_folder(), version_base="1.3"):
        config = compose("train", [*overrides, f"folder={folder}"])
        data: VerticalDataModule = build(config.datamodule)
        data.setup("fit")
        measure("default", config, data)  # warm up
        found: dict[str, list[dict[str, float]]] = {variant: [] for variant in VARIANTS}
        for number in range(rounds):
            for variant in VARIANTS[number % 3 :] + VARIANTS[: number % 3]:
                config.folder = str(Path(folder, f"{number}_{variant}"))
                found[variant].append(measure(variant, config, data))
    medians = {variant: {name: median(run[name] for run in runs) for name in runs[0]} for variant, runs in found.items()}
    base = medians[VARIANTS[-1]]
    return [
        [variant, *(f"{1e3 * seconds:.2f} ms ({seconds / base[name]:.3f})" for name, seconds in one.items())]
        for variant, one in medians.items()
    ]


def main() -> None:
    """Print one table a job."""
    warnings.filterwarnings("ignore")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("overrides", nargs="*", help="of the configuration, such as overlap.missing=0.5")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--epochs", type=int, default=3)
    arguments = parser.parse_args()
    lines: list[list[str]] = []
    for name, job in JOBS.items():
        common = ["trainer.accelerator=cpu", f"trainer.max_epochs={arguments.epochs}"]
        lines += [[name, *line] for line in compare([*job, *common, *arguments.overrides], arguments.rounds)]
    print(tabulate(lines, headers=["job", "", *COLUMNS], tablefmt="github"))


if __name__ == "__main__":
    main()
