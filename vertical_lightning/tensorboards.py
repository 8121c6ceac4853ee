"""The loggers that can show more than numbers."""

from __future__ import annotations

import pytorch_lightning as pl
from pytorch_lightning.loggers import TensorBoardLogger


def tensorboards(trainer: pl.Trainer) -> list[TensorBoardLogger]:
    """Return the trainer's TensorBoard loggers; there may be none."""
    return [logger for logger in trainer.loggers if isinstance(logger, TensorBoardLogger)]
