"""The loggers that can show more than numbers."""

from __future__ import annotations

from pathlib import Path

import pytorch_lightning as pl
from pytorch_lightning.loggers import TensorBoardLogger
from torch.utils.tensorboard import SummaryWriter


def tensorboards(trainer: pl.Trainer) -> list[TensorBoardLogger]:
    """Return the trainer's TensorBoard loggers; there may be none."""
    return [logger for logger in trainer.loggers if isinstance(logger, TensorBoardLogger)]


def beside(logger: TensorBoardLogger, name: str) -> SummaryWriter:
    """Begin a run of this name within a logger's own, written as often as that."""
    return SummaryWriter(str(Path(logger.log_dir, name)), **logger._kwargs)
