"""The loggers that can show more than numbers."""

from __future__ import annotations

from collections.abc import Mapping

import pytorch_lightning as pl
from pytorch_lightning.loggers import TensorBoardLogger


def tensorboards(trainer: pl.Trainer) -> list[TensorBoardLogger]:
    """Return the trainer's TensorBoard loggers; there may be none."""
    return [logger for logger in trainer.loggers if isinstance(logger, TensorBoardLogger)]


def describe(texts: Mapping[str, str], trainer: pl.Trainer, step: int | None = None) -> None:
    """Show texts in TensorBoard, by tag, letter by letter as they are."""
    for logger in tensorboards(trainer):
        for tag, text in texts.items():
            logger.experiment.add_text(tag, f"```\n{text}\n```", step)
