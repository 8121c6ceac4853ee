"""What makes two runs differ, as flat numbers and strings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from omegaconf import DictConfig, ListConfig, OmegaConf

TABLE = ".hparams"
"""What the name of the event file ends with that holds the table of hyper-parameters."""

EXPERIMENT = (
    *("data", "partition", "overlap", "datamodule", "architecture", "merge", "topology", "optimizer", "scheduler"),
    *("label_holder", "baseline", "cut", "batch_size", "accumulate", "class_weights", "clip_norm", "seed", "data_seed"),
    *("trainer.max_epochs", "trainer.precision"),
)
"""The configuration's nodes that make two runs differ; the others say where things lie and how they are shown."""


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


def parameters(config: DictConfig) -> dict[str, str | float]:
    """Flatten all that may change a result, so that a report can tell apart what was not meant to differ."""
    elsewhere = ("callbacks", "folder", "logger", "objective", "report", "run_name", "sweep")
    found: dict[str, str | float] = {}
    for name in map(str, config):
        if name not in elsewhere and not OmegaConf.is_interpolation(config, name) and config[name] is not None:
            found |= dict(flat(name, config[name]))
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
