"""Where a run's parties are: all in this process, or each in one of its own."""

from __future__ import annotations

from collections.abc import Mapping

from vertical_lightning.config.compose import Configuration
from vertical_lightning.run import processes
from vertical_lightning.run.build import experiment
from vertical_lightning.run.train import train


def execute(config: Configuration, compared: Mapping[str, str | float] | None = None) -> dict[str, float]:
    """Train with all parties here, or with a process for each where `execution` says how they are joined.

    Args:
        config: The whole configuration.
        compared: The hyper-parameters that TensorBoard compares runs by; None for those of this run.
    """
    if config.execution and config.baseline is None:  # else nothing crosses
        return processes.run(config, compared)
    with experiment(config) as run:
        return train(run, compared)
