"""Metrics of one batch, handed on at once."""

from __future__ import annotations

from collections.abc import Mapping

import pytorch_lightning as pl
import torch
from torch import Tensor


def log_step(trainer: pl.Trainer, metrics: Mapping[str, Tensor | float], prog_bar: bool = False) -> None:
    """Give loggers, callbacks and, if asked to, the progress bar what belongs to the training batch under way.

    What goes through `LightningModule.log` instead, Lightning looks through again in every batch until the epoch ends.

    Args:
        trainer: While it fits.
        metrics: Numbers by tag.
        prog_bar: Whether to show them in the progress bar.
    """
    tensors = {name: torch.as_tensor(value) for name, value in metrics.items()}
    numbers = {name: tensor.item() for name, tensor in tensors.items()}
    step = trainer.fit_loop.epoch_loop._batches_that_stepped  # as Lightning counts for what it logs itself
    for logger in trainer.loggers:
        logger.log_metrics(numbers, step)
    trainer.callback_metrics.update(tensors)
    if prog_bar:
        trainer.progress_bar_metrics.update(numbers)
