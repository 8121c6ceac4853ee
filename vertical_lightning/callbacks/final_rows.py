"""The rows that a finished network is looked at with; other callbacks of this room are built on it."""

from __future__ import annotations

from typing import Any

import pytorch_lightning as pl
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter

from vertical_lightning.data.datamodule import VerticalDataModule
from vertical_lightning.schema import VerticalBatch
from vertical_lightning.split.loggers import tensorboards
from vertical_lightning.split.split_module import SplitModule


class FinalRows(pl.Callback):
    """Looks at the test rows; where there are none, at the validation rows as they were evaluated last.

    A subclass says in `begin` what to start with, in `look` what to keep of a batch, and in `show` what to log. Training steps
    cost nothing. Without a TensorBoard logger or a `VerticalDataModule` nothing is looked at.
    """

    def begin(self) -> None:
        """Forget the rows of an earlier evaluation."""

    def look(self, logits: Tensor, batch: VerticalBatch, module: SplitModule) -> None:
        """Keep what is needed of a batch; `module.evaluation_wire.hops` are its hops."""

    def show(self, phase: str, data: VerticalDataModule, writer: SummaryWriter, step: int) -> None:
        """Log what was kept, if anything; `phase` is test or val."""

    def on_validation_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Begin anew each time: only the last evaluation is shown."""
        self.begin()

    def on_validation_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Look, where no test will follow."""
        self.offer("val", trainer, pl_module, outputs, batch)

    def on_fit_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Show, where no test will follow."""
        self.show_everywhere("val", trainer)

    def on_test_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Begin."""
        self.begin()

    def on_test_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Look."""
        self.offer("test", trainer, pl_module, outputs, batch)

    def on_test_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Show."""
        self.show_everywhere("test", trainer)

    def offer(self, phase: str, trainer: pl.Trainer, module: pl.LightningModule, outputs: Any, batch: Any) -> None:
        """Look at a batch of the phase that will be shown."""
        if shown_phase(trainer) == phase:
            assert isinstance(module, SplitModule)
            if outputs["logits"].is_meta or batch.labels.is_meta:
                return  # the label holder, in another process, looks
            self.look(outputs["logits"], batch, module)

    def show_everywhere(self, phase: str, trainer: pl.Trainer) -> None:
        """Show in every TensorBoard logger, if it is this phase's turn."""
        if shown_phase(trainer) != phase:
            return
        for logger in tensorboards(trainer):
            self.show(phase, trainer.datamodule, logger.experiment, trainer.global_step)  # type: ignore[attr-defined]


def shown_phase(trainer: pl.Trainer) -> str:
    """Return the phase whose rows are shown; empty if there is nowhere to show them."""
    data = getattr(trainer, "datamodule", None)
    if not isinstance(data, VerticalDataModule) or not tensorboards(trainer):
        return ""
    return "test" if len(data.splits["test"]) else "val"
