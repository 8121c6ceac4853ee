"""What a run leaves behind: `metrics.json`, and texts and hyper-parameters in TensorBoard."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping
from pathlib import Path

import pytorch_lightning as pl
from omegaconf import DictConfig
from pytorch_lightning.loggers import TensorBoardLogger
from torch.utils.tensorboard.summary import hparams

SHOWN = ("test/", "val/", "wire/bytes", "psi/intersection", "time/fit_seconds")
"""What the metrics in the table of hyper-parameters begin with; links have their own curves."""


def describe(texts: Mapping[str, str], trainer: pl.Trainer) -> None:
    """Show texts in TensorBoard, by tag, letter by letter as they are."""
    for logger in trainer.loggers:
        if isinstance(logger, TensorBoardLogger):
            for tag, text in texts.items():
                logger.experiment.add_text(tag, f"```\n{text}\n```")


def record(
    metrics: Mapping[str, float],
    curves: Collection[str],
    config: DictConfig,
    trainer: pl.Trainer,
    compared: Mapping[str, str | float],
) -> None:
    """Write the metrics of a finished run.

    Args:
        metrics: All metrics, flat; the keys are TensorBoard tags.
        curves: Those that are logged already: logging them again would add a point to their curve.
        config: The run's configuration.
        trainer: The trainer, for its loggers.
        compared: The hyper-parameters that stand beside the final metrics in TensorBoard.
    """
    folder = Path(config.folder)
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / "metrics.json.part"
    # JSON has no number for a metric that is not defined, such as the auroc of rows of one class.
    defined = {name: value if math.isfinite(value) else None for name, value in sorted(metrics.items())}
    part.write_text(json.dumps(defined, indent=2) + "\n")
    part.replace(folder / "metrics.json")
    shown = {name: value for name, value in metrics.items() if name.startswith(SHOWN) and "->" not in name}
    for logger in trainer.loggers:
        logger.log_metrics({name: value for name, value in metrics.items() if name not in curves}, trainer.global_step)
        if isinstance(logger, TensorBoardLogger):
            # Not logger.log_hyperparams, which would log every metric that it shows.
            for summary in hparams(dict(compared), shown):  # type: ignore[no-untyped-call]
                logger.experiment.file_writer.add_summary(summary)
        logger.finalize("success")
