"""One thread or two? What a batch takes with each, and which of them `threads: null` chooses."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterable
from contextlib import redirect_stderr, redirect_stdout
from functools import partial
from statistics import median
from typing import Any

import pytorch_lightning as pl
import torch
from endless import endless
from step import NETWORKS
from tqdm import tqdm
from turns import Fit, take_turns

from vertical_lightning.run.threads import fitting
from vertical_lightning.split.flops import operations

CASES = [
    *((network, parties, rows) for network in ("mlp", "lenet", "tabular") for parties in (1, 2) for rows in (32, 128, 1024)),
    *(("resnet18", 1, rows) for rows in (8, 32, 128)),
]


class Threads(pl.Callback):
    """Gives the thread in which a run trains so many of torch's threads."""

    def __init__(self, number: int) -> None:
        self.number = number

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        torch.set_num_threads(self.number)


def fit(words: list[str], number: int) -> Fit:
    """Set up a run."""
    trainer, module, data = endless([*words, f"threads={number}"])
    trainer.callbacks.append(Threads(number))  # type: ignore[attr-defined]
    return Fit(trainer, model=module, datamodule=data)


def measure(network: str, parties: int, rows: int, seconds: float) -> dict[str, Any]:
    """Let both take turns for about so many seconds."""
    settings, partitions = NETWORKS[network]
    with tempfile.TemporaryDirectory() as folder, redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        words = [*settings, *partitions[parties], f"folder={folder}", f"batch_size={rows}", "trainer.accelerator=cpu"]
        work = operations(endless(words).module.network.to("meta"), rows)
        loops = {number: fit(words, number) for number in (1, 2)}
        pace = min(loop(1) for loop in loops.values() for _ in range(2))
        batches = max(1, round(0.1 / pace))
        taken = take_turns({number: partial(loop, batches) for number, loop in loops.items()}, max(7, round(seconds / 0.2)))
        for loop in loops.values():
            loop.end()
    ms = {str(number): 1000 * median(spent) / batches for number, spent in taken.items()}
    chosen = min(2, fitting(work, most=2))
    ratio = median(min(pair) / pair[chosen - 1] for pair in zip(*taken.values(), strict=True))
    return {
        "network": network,
        "parties": parties,
        "rows": rows,
        "operations": work,
        "ms": ms,
        "chosen": chosen,
        "ratio": ratio,
    }


def run(seconds: float, cases: Iterable[tuple[str, int, int]] = tuple(CASES)) -> list[dict[str, Any]]:
    """Measure all cases."""
    return [measure(*case, seconds) for case in tqdm(list(cases), desc="threads")]
