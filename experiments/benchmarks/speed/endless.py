"""What vl-train would run, without an end."""

from __future__ import annotations

from typing import NamedTuple

import pytorch_lightning as pl
from hydra import compose, initialize_config_dir

from vertical_lightning.config.compose import build, config_folder
from vertical_lightning.data.datamodule import VerticalDataModule
from vertical_lightning.run.build_parts import build_module, build_trainer
from vertical_lightning.split.split_module import SplitModule

ENDLESS = ["overlap.missing=0", "trainer.limit_val_batches=0", "trainer.max_epochs=-1"]


class Run(NamedTuple):
    """All that `trainer.fit` takes."""

    trainer: pl.Trainer
    module: SplitModule
    data: VerticalDataModule


def endless(words: list[str]) -> Run:
    """Build the run of a command line."""
    with initialize_config_dir(config_folder(), version_base="1.3"):
        config = compose("train", [*words, *ENDLESS])
    data: VerticalDataModule = build(config.datamodule)
    data.setup("fit")
    return Run(build_trainer(config, session=None), build_module(config, data), data)
