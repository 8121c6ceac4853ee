"""Where a run's parties are: all in this process, or each in one of its own."""

from __future__ import annotations

from collections.abc import Mapping

from omegaconf import DictConfig

from vertical_lightning.run import processes
from vertical_lightning.run.train import train


def execute(config: DictConfig, compared: Mapping[str, str | float] | None = None) -> dict[str, float]:
    """Train with all parties here, or with a process for each where `execution` says how they are joined.

    Args:
        config: The whole configuration.
        compared: The hyper-parameters that TensorBoard compares runs by; None for those of this run.
    """
    alone = config.baseline is not None  # nothing crosses
    return train(config, compared) if alone or not config.execution else processes.run(config, compared)
