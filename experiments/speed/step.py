"""A training step of vl-train beside a plain torch loop, in turns of some batches within one process."""

from __future__ import annotations

import io
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from statistics import median, quantiles
from typing import Any

import pytorch_lightning as pl
import torch
from hydra import compose, initialize_config_dir
from rivals import Loop, by_hand, uncut, uncut_unfused
from tqdm import tqdm

from vertical_lightning.assembly import build_module, build_trainer
from vertical_lightning.configuration import build, config_folder
from vertical_lightning.data.datamodule import VerticalDataModule

OURS, UNCUT = "vl-train", "uncut"
RIVALS = {UNCUT: uncut, "uncut, Adam not fused": uncut_unfused, "split by hand": by_hand}
IMAGES = {1: [], 2: ["partition=halves"], 4: ["partition=quadrants"]}
COLUMNS = {parties: ["partition=even_columns", f"partition.parties={parties}"] for parties in (1, 2, 4)}
NETWORKS: dict[str, tuple[list[str], Mapping[int, list[str]]]] = {
    "mlp": (["data._target_=made_up.Images", "+data.size=[1,28,28]", "cut=2"], IMAGES),
    "lenet": (["data._target_=made_up.Images", "+data.size=[1,28,28]", "architecture=lenet", "cut=2"], IMAGES),
    "resnet18": (["data._target_=made_up.Images", "+data.size=[3,32,32]", "architecture=resnet18", "cut=2"], IMAGES),
    "tabular": (["data=synthetic", "data.rows=20000", "data.columns=32", "architecture=tabular", "cut=1"], COLUMNS),
}


@dataclass(frozen=True)
class Case:
    """One row of the table."""

    network: str
    parties: int
    batch_size: int
    threads: int


def cases(quick: bool) -> list[Case]:
    """What is measured; ResNet-18 takes seconds a step here, and is measured where that is bearable."""
    if quick:
        return [Case(network, 1, 128, 1) for network in ("mlp", "lenet", "tabular")]
    small = ("mlp", "lenet", "tabular")
    found = [
        Case(name, parties, rows, cores) for name in small for parties in IMAGES for rows in (32, 128, 1024) for cores in (1, 2)
    ]
    large = [Case("resnet18", 1, 128, 2)] + [Case("resnet18", parties, 32, 2) for parties in IMAGES]
    return [*found, *large]


class Turns(pl.Callback):
    """Lets each rival train a block of batches after each block of the run itself.

    Args:
        rivals: By name.
        batches: Batches of a block.
        blocks: How many blocks; then the run ends.
    """

    def __init__(self, rivals: Mapping[str, Loop], batches: int, blocks: int) -> None:
        self.rivals, self.batches, self.blocks = rivals, batches, blocks
        self.seconds: dict[str, list[float]] = defaultdict(list)
        self.done, self.began = 0, 0.0

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.done = -1  # what Lightning does between epochs is not a step's; nor is the first batch

    def on_train_batch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule, *_: object) -> None:
        self.done += 1
        if self.done == self.batches:
            self.seconds[OURS].append(time.perf_counter() - self.began)
            for name, train in self.rivals.items():
                began = time.perf_counter()
                train(self.batches)
                self.seconds[name].append(time.perf_counter() - began)
            self.done = 0
            trainer.should_stop = len(self.seconds[OURS]) >= self.blocks
        if self.done == 0:
            self.began = time.perf_counter()


def measure(case: Case, seconds: float) -> dict[str, Any]:
    """Let the three take turns for about so many seconds; return their rows a second, and ratios block by block."""
    settings, partitions = NETWORKS[case.network]
    words = [*settings, *partitions[case.parties], f"batch_size={case.batch_size}", f"threads={case.threads}"]
    words += [
        "overlap.missing=0",
        "trainer.accelerator=cpu",
        "trainer.limit_val_batches=0",
        "trainer.max_epochs=10000",
    ]
    torch.set_num_threads(case.threads)
    with tempfile.TemporaryDirectory() as folder, initialize_config_dir(config_folder(), version_base="1.3"):
        config = compose("train", [*words, f"folder={folder}"])
        data: VerticalDataModule = build(config.datamodule)
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            data.setup("fit")
            module = build_module(config, build(config.architecture), data)
            trainer = build_trainer(config, session=None)
            device = trainer.strategy.root_device
            rows = data.train_dataloader().dataset
            rivals = {name: make(module, rows, case.batch_size, device) for name, make in RIVALS.items()}
            began = time.perf_counter()
            rivals[UNCUT](3)
            pace = (time.perf_counter() - began) / 3
            in_epoch = max(1, len(rows) // case.batch_size - 2)
            batches = max(1, min(in_epoch, round(0.1 / pace)))
            turns = Turns(rivals, batches, max(5, round(seconds / (5 * batches * pace))))
            trainer.callbacks.insert(0, turns)
            trainer.fit(module, datamodule=data)
    return summary(turns, case)


def summary(turns: Turns, case: Case) -> dict[str, Any]:
    """Return medians over the blocks."""
    taken = {name: spent[1:] for name, spent in turns.seconds.items()}
    rows = turns.batches * case.batch_size
    ratios = {rival: [theirs / own for own, theirs in zip(taken[OURS], taken[rival], strict=True)] for rival in RIVALS}
    return {
        **{name: getattr(case, name) for name in ("network", "parties", "batch_size", "threads")},
        "batches": turns.batches,
        "blocks": len(taken[OURS]),
        "rows/s": {name: rows / median(spent) for name, spent in taken.items()},
        "ratio": {rival: median(found) for rival, found in ratios.items()},
        "quartiles": {rival: quantiles(found, n=4)[::2] for rival, found in ratios.items()},
    }


def run(found: Iterable[Case], seconds: float) -> list[dict[str, Any]]:
    """Measure all cases."""
    return [measure(case, seconds) for case in tqdm(list(found), desc="steps")]
