"""The learning rate of every party."""

from __future__ import annotations

import pytorch_lightning as pl

from vertical_lightning.split.split_module import SplitModule
from vertical_lightning.split.step_logging import log_step


class LearningRates(pl.Callback):
    """Logs `lr/<party>` once an epoch: the rate that the epoch starts with."""

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Log the first parameter group's rate of each party's optimizer."""
        assert isinstance(pl_module, SplitModule)
        rates = {
            f"lr/{party}": float(optimizer.param_groups[0]["lr"])
            for party, optimizer in zip(
                pl_module.trained, trainer.optimizers, strict=False
            )  # Lightning has one where nobody trains
        }
        log_step(trainer, rates)
