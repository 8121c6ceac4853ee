"""What a run leaves behind: `metrics.json`, and its hyper-parameters in TensorBoard."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import pytorch_lightning as pl
from omegaconf import DictConfig, OmegaConf
from pytorch_lightning.loggers import TensorBoardLogger

EXPERIMENT = ("architecture", "merge", "topology", "optimizer", "scheduler", "datamodule", "cut", "clip_norm", "seed")
"""The configuration's nodes that make two runs differ; the others say where things lie and how they are shown."""


def record(metrics: Mapping[str, float], fitted: Collection[str], config: DictConfig, trainer: pl.Trainer) -> None:
    """Write the metrics of a finished run.

    Args:
        metrics: All metrics, flat; the keys are TensorBoard tags.
        fitted: Those with a curve already: logging them again would add a point to it.
        config: The run's configuration.
        trainer: The trainer, for its loggers.
    """
    folder = Path(config.folder)
    part = folder / "metrics.json.part"
    part.write_text(json.dumps(dict(sorted(metrics.items())), indent=2) + "\n")
    part.replace(folder / "metrics.json")
    last = {name: value for name, value in metrics.items() if name not in fitted}
    for logger in trainer.loggers:
        if isinstance(logger, TensorBoardLogger):
            logger.log_hyperparams(hyper_parameters(config), last, step=trainer.global_step)
            logger.save()
            logger.finalize("success")


def hyper_parameters(config: DictConfig) -> dict[str, str | float]:
    """Flatten what makes runs differ to numbers and strings; an object is named by its class.

    >>> hyper_parameters(OmegaConf.create({"cut": 2, "architecture": {"_target_": "a.mlp.Mlp", "hidden": [128, 640]}}))
    {'architecture': 'Mlp', 'architecture.hidden': '[128, 640]', 'cut': 2}
    """
    everything = cast(dict[str, Any], OmegaConf.to_container(config, resolve=True))
    return dict(flat("", {name: everything[name] for name in EXPERIMENT if name in everything}))


def flat(path: str, value: Any) -> Iterator[tuple[str, str | float]]:
    """Yield (dotted path, number or string)."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "_target_":
                yield path, str(inner).rsplit(".", 1)[-1]
            elif not str(key).startswith("_"):
                yield from flat(f"{path}.{key}".removeprefix("."), inner)
    elif isinstance(value, int | float | str):
        yield path, value
    else:
        yield path, str(value)
