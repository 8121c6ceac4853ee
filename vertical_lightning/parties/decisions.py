"""What only the label holder can decide, because only it knows the metrics: when to stop, and which epochs to keep."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Checkpoint, ModelCheckpoint

from vertical_lightning.checkpoints import PartyCheckpoints
from vertical_lightning.parties.session import Session

WHAT = "stopping and checkpoints"


class Decisions(Checkpoint):
    """What both have in common: they begin at the same step of the same run, and meet wherever a metric may decide.

    A `Checkpoint`, because Lightning calls those last.

    Args:
        session: The way to the other parties.
        watched: The callbacks that decide by a metric.
        checkpoints: Knows which run was restored.
    """

    def __init__(self, session: Session, watched: Sequence[pl.Callback], checkpoints: PartyCheckpoints) -> None:
        self.session, self.checkpoints = session, checkpoints
        self.savers = [one for one in watched if isinstance(one, ModelCheckpoint)]

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Put what arrives where this party computes."""
        self.session.remote.device = trainer.strategy.root_device

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Refuse to go on from different steps or runs; by now Lightning has restored where the run was."""
        self.session.agree("where to go on", run=self.checkpoints.run, epoch=trainer.current_epoch, step=trainer.global_step)

    def on_test_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Refuse to put parts of different steps or runs together."""
        self.session.agree("whose weights to test", run=self.checkpoints.run, moment=self.checkpoints.moment)

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Decide, but for the batches that only try validation out."""
        if trainer.state.fn == "fit" and not trainer.sanity_checking:
            self.decide(trainer)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Decide."""
        self.decide(trainer)

    def decide(self, trainer: pl.Trainer) -> None:
        """Tell, or follow."""
        raise NotImplementedError


class Leader(Decisions):
    """The label holder: tells what its callbacks have decided."""

    def decide(self, trainer: pl.Trainer) -> None:
        """Tell all others."""
        kept = [[Path(path).name for path in saver.best_k_models] for saver in self.savers]
        last = [Path(os.path.realpath(saver.last_model_path)).name if saver.last_model_path else "" for saver in self.savers]
        self.session.tell(WHAT, {"stop": trainer.should_stop, "kept": kept, "last": last})


class Follower(Decisions):
    """Any other party: stops with the label holder, and keeps its own part of the epochs that the label holder keeps."""

    def decide(self, trainer: pl.Trainer) -> None:
        """Hear the label holder and do the same."""
        said = self.session.hear(WHAT)
        trainer.should_stop = trainer.should_stop or bool(said["stop"])
        for saver, kept, last in zip(self.savers, said["kept"], said["last"], strict=True):
            self.keep(trainer, Path(saver.dirpath or trainer.default_root_dir), set(map(plain, kept)), plain(last))

    def keep(self, trainer: pl.Trainer, folder: Path, kept: set[str], last: str) -> None:
        """Make the folder hold what the label holder's holds."""
        there = {path.name for path in folder.glob("*.ckpt") if not path.is_symlink()}
        for name in kept - there:
            trainer.save_checkpoint(folder / name)
        for name in there - kept:
            trainer.strategy.remove_checkpoint(folder / name)
        if last in kept:
            ModelCheckpoint._link_checkpoint(trainer, str(folder / last), str(folder / "last.ckpt"))


def plain(name: Any) -> str:
    """Take a name for a name: it came from another party, and must not lead out of the folder.

    >>> plain("../../epoch_001.ckpt")
    'epoch_001.ckpt'
    """
    return Path(str(name)).name


def led(callbacks: Sequence[pl.Callback], session: Session, checkpoints: PartyCheckpoints) -> list[pl.Callback]:
    """Leave out, but at the label holder, what needs a metric, and put in who tells or follows."""
    watched = [one for one in callbacks if getattr(one, "monitor", None) is not None]
    if session.leads:
        return [*callbacks, Leader(session, watched, checkpoints)]
    return [*(one for one in callbacks if one not in watched), Follower(session, watched, checkpoints)]
