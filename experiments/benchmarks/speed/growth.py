"""Microseconds a row against the number of rows, of parties, and the width of the cut."""

from __future__ import annotations

import io
import tempfile
from contextlib import redirect_stderr, redirect_stdout
from functools import partial
from pathlib import Path
from typing import Any

import torch
from endless import endless
from tqdm import tqdm
from turns import Fit, take_turns

SYNTHETIC = [
    *("data=synthetic", "data.columns=64", "partition=even_columns", "cut=1", "architecture=mlp"),
    *("trainer.accelerator=cpu", "threads=1"),
]
SWEPT = {
    "rows": {rows: [f"data.rows={rows}"] for rows in (1_000, 4_000, 16_000, 30_000, 60_000)},
    "parties": {parties: ["data.rows=8000", f"partition.parties={parties}"] for parties in (1, 2, 4, 8, 12, 16)},
    "cut width": {width: ["data.rows=8000", f"architecture.hidden=[{width},64]"] for width in (16, 256, 1024, 2048, 4096)},
}


def epoch(words: list[str], folder: Path) -> tuple[partial[float], Fit, int]:
    """Set up a run that trains an epoch when it is called, with all that lies between two; and its rows."""
    trainer, module, data = endless([*SYNTHETIC, *words, f"folder={folder}"])
    fit = Fit(trainer, between_epochs=True, model=module, datamodule=data)
    return partial(fit, len(data.train_dataloader())), fit, len(data.splits["train"])


def measure(sizes: dict[int, list[str]], turns: int) -> dict[int, float]:
    """Let all sizes train an epoch each, in turns; return microseconds a row of the fastest."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as place, redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        runs = {size: epoch(words, Path(place, str(size))) for size, words in sizes.items()}
        taken = take_turns({size: train for size, (train, _, _) in runs.items()}, turns)
        for _, fit, _ in runs.values():
            fit.end()
    return {size: 1e6 * min(taken[size]) / rows for size, (_, _, rows) in runs.items()}


def run(turns: int) -> list[dict[str, Any]]:
    """Measure all."""
    return [
        {"what": what, "size": size, "µs a row": found}
        for what, sizes in tqdm(SWEPT.items(), desc="growth")
        for size, found in measure(sizes, turns).items()
    ]
