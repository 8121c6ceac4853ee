"""What a run leaves behind: `metrics.json`, and hyper-parameters beside them in TensorBoard."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping
from decimal import Decimal
from pathlib import Path

import pytorch_lightning as pl
from torch.utils.tensorboard import SummaryWriter
from torch.utils.tensorboard.summary import hparams

from vertical_lightning.config.hparams import TABLE
from vertical_lightning.split.loggers import tensorboards

SHOWN = ("test/", "val/", "wire/bytes", "psi/intersection", "time/fit_seconds")
"""What the metrics in the table of hyper-parameters begin with, in its order; links have their own curves."""

DIGITS = 12
"""Before a number's point, so that texts sort as the numbers do."""


def record(
    metrics: Mapping[str, float],
    curves: Collection[str],
    folder: Path,
    trainer: pl.Trainer,
    compared: Mapping[str, str | float],
) -> None:
    """Write the metrics of a finished run.

    Args:
        metrics: All metrics, flat; the keys are TensorBoard tags.
        curves: Those that are logged already: logging them again would add a point to their curve.
        folder: Of the run.
        trainer: The trainer, for its loggers.
        compared: The hyper-parameters that stand beside the final metrics in TensorBoard.
    """
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
    shown = {name: 0.0 for start in SHOWN for name in sorted(metrics) if name.startswith(start) and "->" not in name}
    writer = SummaryWriter(str(folder), filename_suffix=TABLE)
    # Not logger.log_hyperparams, which would log every metric that it shows.
    for summary in hparams({name: text(value) for name, value in compared.items()}, shown):  # type: ignore[no-untyped-call]
        writer._get_file_writer().add_summary(summary)  # type: ignore[no-untyped-call]
    writer.close()


def text(value: str | float) -> str:
    """Write a hyper-parameter as people do; blanks before it show nowhere, and put 2 before 10 where texts are sorted.

    >>> [text(value).strip() for value in (1, 0.5, 1e-05, 20.0, True, "fc1")]
    ['1', '0.5', '0.00001', '20', 'true', 'fc1']
    """
    # TensorBoard shows 1 as 1.0000, and no column with both numbers and texts, such as cut=1,fc1. The price of texts: a filter
    # is an expression instead of two limits, and negative numbers sort last.
    if isinstance(value, str | bool):
        return str(value).lower() if isinstance(value, bool) else value
    whole, point, fraction = f"{Decimal(str(value)).normalize():f}".partition(".")
    return f"{whole:>{DIGITS}}{point}{fraction}"
