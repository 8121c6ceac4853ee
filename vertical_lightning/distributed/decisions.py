"""What only the label holder can decide, because only it knows the metrics: when to stop, and which epochs to keep."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Checkpoint, ModelCheckpoint

from vertical_lightning.distributed.checkpoint_names import own_names
from vertical_lightning.distributed.remote_transport import RemoteTransport
from vertical_lightning.distributed.session import Session
from vertical_lightning.distributed.transport.failure import RefusedError, shown
from vertical_lightning.split.checkpoints import PartyCheckpoints
from vertical_lightning.split.split_module import SplitModule

WHAT = "stopping and checkpoints"


class Decisions(Checkpoint):
    """What leader and followers share: they begin at the same step of the same run, and meet wherever a metric may decide.

    A `Checkpoint`, because Lightning calls those last.

    Args:
        session: The way to the other parties.
        watched: The callbacks that decide by a metric.
        checkpoints: Knows which run was restored.
    """

    def __init__(self, session: Session, watched: Sequence[pl.Callback], checkpoints: PartyCheckpoints) -> None:
        self.session, self.checkpoints = session, checkpoints
        self.savers = [callback for callback in watched if isinstance(callback, ModelCheckpoint)]
        self.mine: list[dict[str, int]] = [{} for _ in self.savers]

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Let received tensors be put on the device that this party trains on."""
        assert isinstance(pl_module, SplitModule)
        for wire in (pl_module.wire, pl_module.evaluation_wire):
            assert isinstance(wire.transport, RemoteTransport)
            wire.transport.device = trainer.strategy.root_device

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
        """Tell all others: whether to stop, and by name the step of each checkpoint that a metric has chosen."""
        kept = [{name: self.checkpoints.steps[name] for name in self.names(saver)} for saver in self.savers]
        self.session.tell(WHAT, stop=trainer.should_stop, kept=kept, links=[links(saver) for saver in self.savers])

    def names(self, saver: ModelCheckpoint) -> list[str]:
        """Name what a callback keeps in this run: the best, what links point to, and the last where it is a copy."""
        copies = [saver.last_model_path] if not os.path.islink(saver.last_model_path) else []
        names = [Path(path).name for path in (*saver.best_k_models, *links(saver).values(), *copies)]
        return [name for name in dict.fromkeys(names) if name in self.checkpoints.steps]


def links(saver: ModelCheckpoint) -> dict[str, str]:
    """Return the links in a callback's folder, and what they point to: `last.ckpt`, `best.ckpt`."""
    checkpoints = Path(saver.dirpath or ".").glob("*.ckpt")
    return {link.name: link.readlink().name for link in checkpoints if link.is_symlink()}


class Follower(Decisions):
    """Any other party: stops with the label holder, and keeps its own part of the epochs that the label holder keeps."""

    def decide(self, trainer: pl.Trainer) -> None:
        """Hear the label holder and do the same."""
        said = self.session.hear(WHAT)
        trainer.should_stop = trainer.should_stop or said["stop"]
        if not len(said["kept"]) == len(said["links"]) == len(self.savers):
            raise self.refused(
                f"it keeps epochs by {len(said['kept'])} callbacks with a monitor, this party by {len(self.savers)}. "
                "Give all parties the same ones"
            )
        for saver, mine, kept, linked in zip(self.savers, self.mine, said["kept"], said["links"], strict=True):
            self.check_names(saver, [*kept, *linked.values()])
            folder = Path(saver.dirpath or trainer.default_root_dir)
            self.keep(trainer, folder, mine, kept)
            for link, name in linked.items():
                if name in mine:
                    ModelCheckpoint._link_checkpoint(trainer, str(folder / name), str(folder / link))

    def check_names(self, saver: ModelCheckpoint, names: Sequence[str]) -> None:
        """Refuse names that the own callback would not give: they become paths."""
        for name in names:
            if not own_names(saver).fullmatch(name):
                raise self.refused(
                    f"it names a checkpoint {shown(name)}, and this party's callback writes {saver.filename}. "
                    "Give all parties the same ones"
                )

    def refused(self, why: str) -> RefusedError:
        """Make the error that says what the label holder has decided."""
        return self.session.peers[self.session.label_holder].refused(why)

    def keep(self, trainer: pl.Trainer, folder: Path, mine: dict[str, int], kept: Mapping[str, int]) -> None:
        """Have what the label holder has, of what this callback has saved; `mine` is what that was so far."""
        for name, step in sorted(kept.items()):
            if mine.get(name) == step:
                continue
            if step != trainer.global_step:
                raise self.refused(
                    f"it has chosen step {step} by a metric, and this is step {trainer.global_step}: between processes a "
                    "callback with a monitor saves at the end of an epoch or of a validation"
                )
            trainer.save_checkpoint(folder / name)
            mine[name] = step
        for name in sorted(set(mine) - set(kept)):
            trainer.strategy.remove_checkpoint(folder / name)
            del mine[name]


def coordinated(callbacks: Sequence[pl.Callback], session: Session, checkpoints: PartyCheckpoints) -> list[pl.Callback]:
    """Return the callbacks of a party: a follower keeps none that needs a metric; a leader or a follower is added."""
    watched = [callback for callback in callbacks if getattr(callback, "monitor", None) is not None]
    if session.leads:
        return [*callbacks, Leader(session, watched, checkpoints)]
    return [*(callback for callback in callbacks if callback not in watched), Follower(session, watched, checkpoints)]
