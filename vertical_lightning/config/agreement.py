"""What parties must have in common to train one network, beside their data; and what the label holder says for all."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from importlib.metadata import version
from typing import Any

from omegaconf import DictConfig, OmegaConf

from vertical_lightning.config.hparams import shared


def facts(config: DictConfig) -> dict[str, str]:
    """Return the settings and library versions that must be the same at all parties."""
    return shared(config) | {package: version(package).split("+")[0] for package in ("vertical_lightning", "torch")}


def duration(config: DictConfig, names: Collection[str]) -> dict[str, Any]:
    """Return how long the label holder trains, and when it validates.

    Args:
        config: The label holder's.
        names: The trainer's settings that say so.
    """
    given = OmegaConf.to_container(config.trainer, resolve=True)
    assert isinstance(given, dict)
    return {name: given[name] for name in names if name in given}


def follow(config: DictConfig, duration: Mapping[str, Any], names: Collection[str]) -> DictConfig:
    """Return the configuration with the label holder's duration instead of this party's own."""
    config = config.copy()
    OmegaConf.set_struct(config, False)
    for name in names:
        config.trainer.pop(name, None)
        if name in duration:
            config.trainer[name] = duration[name]  # a number, a truth value or null, which `Session.gather` has made sure of
    return config
