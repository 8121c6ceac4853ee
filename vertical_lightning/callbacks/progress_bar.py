"""A bar where somebody watches; in a file or a pipe a line an epoch."""

from __future__ import annotations

import sys
import time

import pytorch_lightning as pl
from pytorch_lightning.callbacks import TQDMProgressBar

NAMES = ("train/loss", "train/accuracy", "train/rmse", "val/loss", "val/accuracy", "val/auroc", "val/rmse")


class ProgressBar(TQDMProgressBar):
    """Lightning's, which redraws itself: a file would hold every drawing.

    Args:
        refresh_rate: Batches between two drawings; 0 for neither bar nor lines.
    """

    def __init__(self, refresh_rate: int = 20) -> None:
        self.watched = sys.stdout.isatty()
        self.lines = not self.watched and refresh_rate > 0
        super().__init__(refresh_rate if self.watched else 0)
        self.began, self.ended = 0.0, ""

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Tell of the epoch before, and begin to count seconds."""
        super().on_train_epoch_start(trainer, pl_module)
        self.tell(trainer)
        self.began = time.perf_counter()

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Take note; the epoch's own metrics are logged after this."""
        super().on_train_epoch_end(trainer, pl_module)
        last = trainer.max_epochs if trainer.max_epochs and trainer.max_epochs > 0 else "?"
        self.ended = f"epoch {trainer.current_epoch + 1} of {last}, {time.perf_counter() - self.began:.1f} s"

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Tell of the last epoch."""
        super().on_train_end(trainer, pl_module)
        self.tell(trainer)

    def tell(self, trainer: pl.Trainer) -> None:
        """Write the line of the epoch that has ended, once."""
        if self.lines and self.ended:
            numbers = [f"{name} {trainer.callback_metrics[name]:.4f}" for name in NAMES if name in trainer.callback_metrics]
            print(", ".join([self.ended, *numbers]), flush=True)
        self.ended = ""
