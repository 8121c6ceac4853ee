"""How many of this machine's cores a job has, as the launcher places jobs on them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from hydra.core.hydra_config import HydraConfig


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
