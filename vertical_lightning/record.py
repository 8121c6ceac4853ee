"""What a run leaves behind: `metrics.json`, and texts and hyper-parameters in TensorBoard."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from omegaconf import DictConfig, ListConfig, OmegaConf
from pytorch_lightning.loggers import TensorBoardLogger
from torch.utils.tensorboard.summary import hparams

EXPERIMENT = (
    *("data", "partition", "overlap", "datamodule", "architecture", "merge", "topology", "optimizer", "scheduler"),
    *("label_holder", "cut", "batch_size", "clip_norm", "seed", "trainer.max_epochs", "trainer.precision"),
)
"""The configuration's nodes that make two runs differ; the others say where things lie and how they are shown."""

SHOWN = ("test/", "val/", "wire/bytes", "psi/intersection", "time/fit_seconds")
"""What the metrics in the table of hyper-parameters begin with; links have their own curves."""


def describe(texts: Mapping[str, str], trainer: pl.Trainer) -> None:
    """Show texts in TensorBoard, by tag, letter by letter as they are."""
    for logger in trainer.loggers:
        if isinstance(logger, TensorBoardLogger):
            for tag, text in texts.items():
                logger.experiment.add_text(tag, f"```\n{text}\n```")


def record(metrics: Mapping[str, float], curves: Collection[str], config: DictConfig, trainer: pl.Trainer) -> None:
    """Write the metrics of a finished run.

    Args:
        metrics: All metrics, flat; the keys are TensorBoard tags.
        curves: Those that are logged already: logging them again would add a point to their curve.
        config: The run's configuration.
        trainer: The trainer, for its loggers.
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
            for summary in hparams(hyper_parameters(config), shown):  # type: ignore[no-untyped-call]
                logger.experiment.file_writer.add_summary(summary)
        logger.finalize("success")


def hyper_parameters(config: DictConfig) -> dict[str, str | float]:
    """Flatten what makes runs differ to numbers and strings; an object is named by its class.

    >>> hyper_parameters(OmegaConf.create({"cut": 2, "architecture": {"_target_": "a.mlp.Mlp", "hidden": [128, 640]}}))
    {'architecture': 'Mlp', 'architecture.hidden': '[128, 640]', 'cut': 2}
    """
    found: dict[str, str | float] = {}
    for name in EXPERIMENT:
        if (node := OmegaConf.select(config, name)) is not None:
            found |= dict(flat(name, node))
    return found


def flat(path: str, value: Any) -> Iterator[tuple[str, str | float]]:
    """Yield (dotted path, number or string); what a reference points to is listed at its own place."""
    if isinstance(value, ListConfig):
        value = OmegaConf.to_container(value, resolve=True)
    if not isinstance(value, DictConfig):
        yield path, value if isinstance(value, int | float | str) else str(value)
        return
    if "_target_" in value:
        yield path, str(value._target_).rsplit(".", 1)[-1]
    for key in map(str, value):
        if not key.startswith("_") and not OmegaConf.is_interpolation(value, key):
            yield from flat(f"{path}.{key}", value[key])
