"""Microseconds a row against the number of rows, of parties, and the width of the cut."""

from __future__ import annotations

import io
import tempfile
import time
from contextlib import redirect_stderr, redirect_stdout
from typing import Any

import pytorch_lightning as pl
from hydra import compose, initialize_config_dir
from tqdm import tqdm

from vertical_lightning.assembly import build_module, build_trainer
from vertical_lightning.configuration import build, config_folder

SYNTHETIC = ["data=synthetic", "data.columns=64", "partition=even_columns", "overlap.missing=0", "cut=1", "architecture=mlp"]
SWEPT = {
    "rows": {rows: [f"data.rows={rows}"] for rows in (1_000, 4_000, 16_000, 60_000)},
    "parties": {parties: ["data.rows=8000", f"partition.parties={parties}"] for parties in (1, 2, 4, 8, 16)},
    "cut width": {width: ["data.rows=8000", f"architecture.hidden=[{width},64]"] for width in (16, 64, 256, 1024, 4096)},
}


class Epochs(pl.Callback):
    """Reads the clock when an epoch begins and ends, with all that Lightning and the callbacks do in it."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.began = 0.0

    def on_train_epoch_start(self, *_: object) -> None:
        self.began = time.perf_counter()

    def on_train_epoch_end(self, *_: object) -> None:
        self.seconds.append(time.perf_counter() - self.began)


def measure(words: list[str]) -> float:
    """Return microseconds a row of the fastest training epoch."""
    with tempfile.TemporaryDirectory() as folder, initialize_config_dir(config_folder(), version_base="1.3"):
        common = ["trainer.accelerator=cpu", "threads=1", "trainer.limit_val_batches=0", f"folder={folder}"]
        config = compose("train", [*SYNTHETIC, *words, *common])
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            data = build(config.datamodule)
            data.setup("fit")
            rows = len(data.train_dataloader().dataset)
            clock = Epochs()
            config.trainer.max_epochs = 1 + max(5, 30_000 // rows)
            trainer = build_trainer(config, session=None)
            trainer.callbacks.insert(0, clock)
            trainer.fit(build_module(config, build(config.architecture), data), datamodule=data)
    return 1e6 * min(clock.seconds[1:]) / rows


def run() -> list[dict[str, Any]]:
    """Measure every setting."""
    todo = [(what, size, words) for what, sizes in SWEPT.items() for size, words in sizes.items()]
    return [{"what": what, "size": size, "µs a row": measure(words)} for what, size, words in tqdm(todo, desc="growth")]
