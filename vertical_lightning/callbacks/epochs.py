"""Training beside validation, epoch by epoch, in two colors: TensorBoard gives a color to a run, not to a tag."""

from __future__ import annotations

import pytorch_lightning as pl
from torch.utils.tensorboard import SummaryWriter

from vertical_lightning.split.loggers import sub_run, tensorboards
from vertical_lightning.split.split_module import SplitModule


class Epochs(pl.Callback):
    """Writes `epoch/loss` and the task's scores, such as `epoch/accuracy`, into two runs within the run: `train` and `val`.

    A point is an epoch, counted from 1. An epoch with several validations shows the last of them, one without shows none.
    """

    def __init__(self) -> None:
        self.writers: dict[str, list[SummaryWriter]] = {}
        self.ended, self.validated = 0, dict[str, float]()

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Forget a run that was stopped."""
        self.ended, self.validated = 0, {}

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Keep the epoch's validation, unless it is only tried out: metrics of an earlier epoch look the same."""
        if trainer.state.fn == "fit" and not trainer.sanity_checking:
            self.validated = found(trainer, pl_module, "val")

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Take note; the epoch's own metrics are logged after this."""
        self.ended = trainer.current_epoch + 1

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write the epoch before."""
        self.write(trainer, pl_module)

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write the last epoch."""
        self.write(trainer, pl_module)
        self.close()

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        """End the files of a run that was stopped."""
        self.close()

    def write(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """Write the epoch that has ended, once."""
        if self.ended:
            for phase, scores in (("train", found(trainer, module, "train")), ("val", self.validated)):
                if scores and phase not in self.writers:
                    self.writers[phase] = [sub_run(logger, phase) for logger in tensorboards(trainer)]
                for writer in self.writers.get(phase, []):
                    for name, value in scores.items():
                        writer.add_scalar(f"epoch/{name}", value, self.ended)
        self.ended, self.validated = 0, {}

    def close(self) -> None:
        """End all files."""
        for writers in self.writers.values():
            for writer in writers:
                writer.close()
        self.writers = {}


def found(trainer: pl.Trainer, module: pl.LightningModule, phase: str) -> dict[str, float]:
    """Return loss and scores of a phase, as they were logged last."""
    assert isinstance(module, SplitModule)
    metrics = {name: trainer.callback_metrics.get(f"{phase}/{name}") for name in ("loss", *module.task.scores)}
    return {name: float(value) for name, value in metrics.items() if value is not None}
