"""What parties must have in common to train one network, beside their data."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from omegaconf import DictConfig, OmegaConf

from vertical_lightning.config.hparams import shared
from vertical_lightning.distributed.transport.messages import SCHEDULE


def facts(config: DictConfig) -> dict[str, str]:
    """Return the settings and library versions that must be the same at all parties."""
    return shared(config) | {package: version(package).split("+")[0] for package in ("vertical_lightning", "torch")}


def schedule(config: DictConfig) -> dict[str, Any]:
    """Return the label holder's part of the trainer's settings."""
    given = OmegaConf.to_container(config.trainer, resolve=True)
    assert isinstance(given, dict)
    return {name: given[name] for name in SCHEDULE if name in given}


def follow(config: DictConfig, schedule: Mapping[str, Any]) -> DictConfig:
    """Return the configuration with the label holder's schedule instead of this party's own."""
    config = config.copy()
    OmegaConf.set_struct(config, False)
    for name in SCHEDULE:
        config.trainer.pop(name, None)
        if name in schedule:
            config.trainer[name] = schedule[name]  # a number, a truth value or null, which `Session.gather` has made sure of
    return config
