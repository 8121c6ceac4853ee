"""Keeps the newest step, and where a metric is monitored the best one, too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import ModelCheckpoint
from pytorch_lightning.trainer.states import TrainerFn

from vertical_lightning.split.checkpoint_names import BEST, LAST
from vertical_lightning.split.metric_direction import mode_of


class Checkpoint(ModelCheckpoint):
    """Lightning's, so that `last.ckpt` is always the last step of training, and `best.ckpt` the best one.

    Lightning's own leaves `last.ckpt` at the last step that it had another reason to save: the best one, if a metric is
    monitored, or that of the last validation.

    Args:
        dirpath: The folder of checkpoints.
        filename: Of a checkpoint in there.
        monitor: The metric by which the best is known; None keeps the newest alone.
        mode: `min` or `max`; None for what the metric's name says.
        save_top_k: How many of the best to keep; -1 for all.
        options: Lightning's other ones, such as `every_n_train_steps`.
    """

    def __init__(
        self,
        dirpath: str | Path | None = None,
        filename: str = "epoch_{epoch:03d}",
        monitor: str | None = None,
        mode: str | None = None,
        save_top_k: int = 1,
        **options: Any,
    ) -> None:
        super().__init__(
            dirpath,
            filename,
            monitor,
            save_last="link",
            save_top_k=save_top_k,
            mode=mode or ("min" if monitor is None else mode_of(monitor)),
            auto_insert_metric_name=False,
            **options,
        )
        self._newest = ""

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Keep the step, unless the epoch's end does in a moment."""
        super().on_validation_end(trainer, pl_module)
        if not self._should_save_on_train_epoch_end(trainer):
            self.keep_newest(trainer)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Keep the step."""
        super().on_train_epoch_end(trainer, pl_module)
        self.keep_newest(trainer)

    def keep_newest(self, trainer: pl.Trainer) -> None:
        """Save the step if it is not saved yet, and remove the newest so far unless it is among the best."""
        if trainer.fast_dev_run or trainer.state.fn != TrainerFn.FITTING or trainer.sanity_checking:  # type: ignore[attr-defined]
            return
        if self._last_global_step_saved != trainer.global_step:
            path = self._get_metric_interpolated_filepath_name(self._monitor_candidates(trainer), trainer)
            self._save_checkpoint(trainer, path)
        before, self._newest = self._newest, self._last_checkpoint_saved
        if self.monitor is not None and self.best_model_path:
            self.link(trainer, self.best_model_path, BEST)
        kept = {*self.best_k_models, self.best_model_path, self._newest}
        if before and before not in kept and self._should_remove_checkpoint(trainer, before, self._newest):
            self._remove_checkpoint(trainer, before)

    def _save_checkpoint(self, trainer: pl.Trainer, filepath: str) -> None:
        """Whatever the reason to save, it is the newest."""
        super()._save_checkpoint(trainer, filepath)
        self.link(trainer, filepath, LAST)

    def link(self, trainer: pl.Trainer, checkpoint: str, name: str) -> None:
        """Let a link of the folder point to a checkpoint."""
        self._link_checkpoint(trainer, checkpoint, str(Path(checkpoint).parent / name))

    def _save_last_checkpoint(self, trainer: pl.Trainer, monitor_candidates: dict[str, Any]) -> None:
        """Leave it to `keep_newest`."""

    def state_dict(self) -> dict[str, Any]:
        """Keep which is the newest besides what Lightning keeps."""
        return super().state_dict() | {"newest": self._newest}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Resume from a checkpoint; a newest checkpoint in another folder does not belong to this run."""
        super().load_state_dict(state_dict)
        newest = state_dict.get("newest", "")
        self._newest = newest if Path(newest).parent == Path(self.dirpath or "") else ""
