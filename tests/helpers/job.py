"""Runs a configuration in this process, as `vl-train` would, on small data and into a folder of the test."""

from __future__ import annotations

from pathlib import Path

from hydra import compose, initialize_config_dir
from omegaconf import DictConfig

from vertical_lightning.config.compose import config_folder
from vertical_lightning.run.execution import execute

SMALL = ["data._target_=small_images.SmallImages", "batch_size=32", "callbacks.progress_bar.refresh_rate=0"]
"""Few pictures instead of a data set; keys that the chosen set does not have stay out."""


def configuration(folder: Path, *overrides: str) -> DictConfig:
    with initialize_config_dir(config_folder(), version_base="1.3"):
        return compose("train", [*overrides, f"folder={folder}", "trainer.accelerator=cpu"])


def run(folder: Path, *overrides: str) -> dict[str, float]:
    config = configuration(folder, *overrides)
    return execute(config)
