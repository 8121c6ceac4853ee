"""A training step of vl-train beside a plain torch loop, in turns of some batches within one process."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import asdict, dataclass
from functools import partial
from statistics import median, quantiles
from typing import Any

import pytorch_lightning as pl
import torch
from endless import endless
from rivals import ByHand, by_hand, uncut, uncut_unfused
from tqdm import tqdm
from turns import Fit, Loop, clocked, take_turns

from vertical_lightning.data.loader import AlignedLoader, PositionSampler

OURS, UNCUT, LEAST = "vl-train", "uncut", "split by hand in Lightning"
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
    accelerator: str = "cpu"
    precision: str = "32"

    @property
    def bare(self) -> dict[str, Any]:
        """A Trainer's arguments for a run in which nothing is looked at."""
        silent = dict.fromkeys(["logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary"], False)
        return {**silent, "accelerator": self.accelerator, "precision": self.precision, "devices": 1, "max_epochs": -1}


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


def cases_on_gpu() -> list[Case]:
    """What is measured on a GPU, where a small batch is all overhead."""
    sizes, precisions = (1024, 4096), ("32", "bf16-mixed")
    return [
        Case(name, parties, rows, 2, "gpu", precision)
        for name in NETWORKS
        for parties in (1, 2)
        for rows in sizes
        for precision in precisions
    ]


def measure(case: Case, seconds: float) -> dict[str, Any]:
    """Let all take turns for about so many seconds; return their rows a second, and ratios turn by turn."""
    torch.set_num_threads(case.threads)
    with tempfile.TemporaryDirectory() as folder, redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        loops = contestants(case, folder)
        pace = min(loops[UNCUT](1) for _ in range(3))
        batches = max(1, round(0.1 / pace))
        turns = max(5, round(seconds / (len(loops) * batches * pace)))
        taken = take_turns({name: partial(loop, batches) for name, loop in loops.items()}, turns)
        for loop in loops.values():
            if isinstance(loop, Fit):
                loop.end()
    return summary(taken, case, batches)


def contestants(case: Case, folder: str) -> dict[str, Loop]:
    """Set up vl-train and its rivals, each with weights of its own, on the same tensors."""
    settings, partitions = NETWORKS[case.network]
    words = [*settings, *partitions[case.parties], f"folder={folder}"]
    words += [f"{name}={getattr(case, name)}" for name in ("batch_size", "threads")]
    words += [f"trainer.{name}={getattr(case, name)}" for name in ("accelerator", "precision")]
    trainer, module, data = endless(words)
    bare = pl.Trainer(**case.bare)
    rows = data.splits["train"].to(trainer.strategy.root_device)
    sampler = PositionSampler(len(rows), case.batch_size, shuffle=True, device=rows.rows.device)
    plain = {name: clocked(make(module, rows, sampler, case.precision), rows.rows.device) for name, make in RIVALS.items()}
    return {
        OURS: Fit(trainer, model=module, datamodule=data),
        **plain,
        LEAST: Fit(bare, model=ByHand(module), train_dataloaders=AlignedLoader(rows, sampler)),
    }


def summary(taken: Mapping[str, list[float]], case: Case, batches: int) -> dict[str, Any]:
    """Return medians over the turns."""
    rows = batches * case.batch_size
    ratios = {
        rival: [theirs / own for own, theirs in zip(taken[OURS], spent, strict=True)]
        for rival, spent in taken.items()
        if rival != OURS
    }
    return {
        **asdict(case),
        "batches": batches,
        "turns": len(taken[OURS]),
        "rows/s": {name: rows / median(spent) for name, spent in taken.items()},
        "ratio": {rival: median(found) for rival, found in ratios.items()},
        "quartiles": {rival: quantiles(found, n=4)[::2] for rival, found in ratios.items()},
    }


def run(found: Iterable[Case], seconds: float) -> list[dict[str, Any]]:
    """Measure all cases."""
    return [measure(case, seconds) for case in tqdm(list(found), desc="steps")]
