"""How many threads a job may take, so that jobs which run at once do not fight."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from hydra.core.hydra_config import HydraConfig


def use(asked: int | None) -> None:
    """Let torch take as many threads as asked for, or the job's part of the cores."""
    import torch

    if (number := share_of(asked)) is not None:
        torch.set_num_threads(number)


WORTHWHILE = 100_000_000
"""Multiplications and additions of a batch's forward pass that are worth a thread: a second one is taken from twice as many on,
a third from three times. Below, threads wait for one another longer than they compute. See experiments/speed."""


def fitting(operations: int, most: int | None) -> int:
    """Return as many threads as a batch gives work to.

    Args:
        operations: Of a batch's forward pass, of all parties: the same number in one process and in several, which then
            compute the same bits.
        most: The job's part of the cores; None for what Hydra's launcher leaves it, or else all.
    """
    return max(1, min(most or share_of(None) or cores(), operations // WORTHWHILE))


def share_of(asked: int | None) -> int | None:
    """Return how many threads were asked for, or the job's part of the cores; None outside of a job: torch's own choice."""
    if asked or not HydraConfig.initialized():
        return asked
    return share(HydraConfig.get().launcher, cores())


def share(launcher: Mapping[str, Any], cores: int) -> int:
    """Return a job's part of the cores, as its launcher places jobs on them.

    >>> share({"n_jobs": -1}, 8), share({"cpus_per_task": 4}, 8), share({}, 8)
    (1, 4, 8)
    """
    if "n_jobs" in launcher:  # joblib
        jobs = int(launcher["n_jobs"])
        return max(1, cores // jobs) if jobs > 0 else max(1, cores // max(1, cores + 1 + jobs))
    if "ray" in launcher:
        return int(launcher["ray"]["remote"].get("num_cpus") or 1)  # it gives a task one core unless told otherwise
    if "cpus_per_task" in launcher:  # submitit
        return int(launcher["cpus_per_task"] or 1)
    return cores


def cores() -> int:
    """Count the cores that this process may use."""
    return len(os.sched_getaffinity(0))
