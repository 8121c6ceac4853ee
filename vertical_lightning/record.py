"""What a run leaves behind: `metrics.json`, and hyper-parameters beside them in TensorBoard."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping
from pathlib import Path

import pytorch_lightning as pl
from omegaconf import DictConfig
from torch.utils.tensorboard import SummaryWriter
from torch.utils.tensorboard.summary import hparams

from vertical_lightning.parameters import TABLE
from vertical_lightning.tensorboards import tensorboards

SHOWN = ("test/", "val/", "wire/bytes", "psi/intersection", "time/fit_seconds")
"""What the metrics in the table of hyper-parameters begin with; links have their own curves."""


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
    for logger in trainer.loggers:
        logger.log_metrics({name: value for name, value in metrics.items() if name not in curves}, trainer.global_step)
    for tensorboard in tensorboards(trainer):
        tabulate(compared, metrics, Path(tensorboard.log_dir))
    for logger in trainer.loggers:
        logger.finalize("success")


def tabulate(compared: Mapping[str, str | float], metrics: Collection[str], folder: Path) -> None:
    """Put hyper-parameters beside final metrics in TensorBoard, in a file of their own: another sweep compares others."""
    shown = {name: 0.0 for name in metrics if name.startswith(SHOWN) and "->" not in name}
    writer = SummaryWriter(str(folder), filename_suffix=TABLE)
    # Not logger.log_hyperparams, which would log every metric that it shows.
    for summary in hparams(dict(compared), shown):  # type: ignore[no-untyped-call]
        writer._get_file_writer().add_summary(summary)  # type: ignore[no-untyped-call]
    writer.close()
