"""Numbers of a batch reach all who want them, at Lightning's own step, and Lightning does not look through them again."""

from __future__ import annotations

from collections.abc import Mapping

import pytorch_lightning as pl
from aligned_data import synthetic
from pytorch_lightning.callbacks import EarlyStopping
from pytorch_lightning.loggers.logger import DummyLogger
from split_runs import OPTIMIZERS, quiet_trainer
from torch import Tensor

from vertical_lightning.architectures.mlp import Mlp
from vertical_lightning.merges.concat import Concat
from vertical_lightning.split.split_module import SplitModule
from vertical_lightning.split.step_logging import log_step
from vertical_lightning.split.topology import Topology


class Book(DummyLogger):
    """Keeps what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.told: dict[str, list[int]] = {}

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        for name, value in metrics.items():
            assert isinstance(value, int | float) and step is not None
            self.told.setdefault(name, []).append(step)


class Both(pl.Callback):
    """Logs one number in Lightning's way and one at once."""

    def __init__(self) -> None:
        self.kept: list[int] = []

    def on_before_optimizer_step(self, trainer: pl.Trainer, pl_module: pl.LightningModule, optimizer: object) -> None:
        pl_module.log("lightning", 1.0, on_step=True, on_epoch=False)
        log_step(trainer, {"now": 1.0}, prog_bar=True)
        self.kept.append(sum("now" in name for name in trainer._results or ()))


def run(**options: object) -> pl.Trainer:
    data = synthetic(2, rows=150)
    data.setup("fit")
    network = Topology(Mlp([4]), data.shapes, len(data.classes), "bob", owners=["bob"], cut=1, merge=Concat)
    trainer = quiet_trainer(**{"max_epochs": 2, "log_every_n_steps": 1, **options})
    trainer.fit(SplitModule(network, OPTIMIZERS["sgd"]), datamodule=data)
    return trainer


def test_the_step_is_lightnings_own() -> None:
    book, both = Book(), Both()
    trainer = run(logger=[book], callbacks=[both])
    assert book.told["now"] == book.told["lightning"] == list(range(trainer.global_step))
    assert both.kept == [0] * trainer.global_step


def test_callbacks_and_the_bar_have_it() -> None:
    trainer = run(callbacks=[Both()])
    assert isinstance(trainer.callback_metrics["now"], Tensor)
    assert trainer.progress_bar_metrics["now"] == 1.0


def test_training_can_stop_by_it() -> None:
    stop = EarlyStopping("now", patience=1, check_on_train_epoch_end=True)
    assert run(callbacks=[Both(), stop], max_epochs=9).current_epoch == 2
