"""Launchers and sweepers come with extras of this package; without them Hydra does not know their names."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.util import find_spec

PLUGINS = {
    "hydra/launcher=joblib": ("hydra_joblib_launcher", "sweep"),
    "hydra/launcher=ray": ("hydra_ray_launcher", "ray"),
    "hydra/launcher=submitit_local": ("hydra_submitit_launcher", "slurm"),
    "hydra/launcher=submitit_slurm": ("hydra_submitit_launcher", "slurm"),
    "hydra/sweeper=optuna": ("hydra_optuna_sweeper", "sweep"),
}
"""Override → (plugin, extra)."""


def check(words: Sequence[str]) -> None:
    """Leave with a sentence if the command line asks for a plugin that is not installed."""
    for word in words:
        if word in PLUGINS and not installed(PLUGINS[word][0]):
            plugin, extra = PLUGINS[word]
            sys.exit(f"vl-train: {word} needs {plugin}, which is not installed: pip install 'vertical_lightning[{extra}]'.")


def installed(plugin: str) -> bool:
    """Whether Hydra would find the plugin."""
    try:
        return find_spec(f"hydra_plugins.{plugin}") is not None
    except ModuleNotFoundError:  # no plugin at all
        return False
