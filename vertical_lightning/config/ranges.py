"""Numbers that settings may be."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from omegaconf import DictConfig, OmegaConf

from vertical_lightning.config.compose import build

Test = Callable[[Any], bool]


def whole(least: int) -> Test:
    """Test for an integer from `least`."""
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and value >= least


def number(low: float, high: float = math.inf) -> Test:
    """Test for a finite number from `low` on and below `high`."""
    return lambda value: isinstance(value, int | float) and not isinstance(value, bool) and low <= value < high


def positive(value: Any) -> bool:
    """Test for a finite number above 0."""
    return number(0)(value) and value > 0


def weights(value: Any) -> bool:
    """Test for class weights."""
    return value == "balanced" or (isinstance(value, list) and len(value) > 0 and all(positive(weight) for weight in value))


RANGES: Mapping[str, tuple[Test, str]] = {
    "seed": (whole(-(2**63)), "an integer; a run without a seed cannot be repeated"),
    "batch_size": (whole(1), "an integer from 1 to the number of aligned rows"),
    "threads": (whole(1), "an integer from 1, or null for as many as there is work for"),
    "task.class_weights": (weights, "a list of numbers above 0, one a class, or balanced; null for no weights"),
    "clip_norm": (positive, "a number above 0, one for all or one a party, or null for no limit"),
    "accumulate": (whole(1), "an integer from 1, one for all or one a party"),
    "party_seed": (whole(0), "an integer from 0, one for all or one a party"),
    "datamodule.workers": (whole(0), "an integer from 0"),
    "trainer.max_epochs": (whole(-1), "an integer from 0, or -1 for no end"),
    "trainer.max_steps": (whole(-1), "an integer from 0, or -1 for no end"),
    "trainer.log_every_n_steps": (whole(0), "an integer from 0"),
    "trainer.check_val_every_n_epoch": (whole(1), "an integer from 1"),
    "trainer.limit_train_batches": (number(0), "a number of batches, or a fraction in [0, 1]"),
    "trainer.limit_val_batches": (number(0), "a number of batches, or a fraction in [0, 1]"),
    "trainer.limit_test_batches": (number(0), "a number of batches, or a fraction in [0, 1]"),
}
"""By setting, what a value must be; null is left to the setting's own default."""


def check_ranges(config: DictConfig) -> None:
    """Check every number in RANGES, party by party where there is one a party."""
    for path, (test, allowed) in RANGES.items():
        value = build(OmegaConf.select(config, path))
        for party, number in value.items() if isinstance(value, dict) else [("", value)]:
            if number is not None and not test(number):
                raise ValueError(f"{path}{f'.{party}' if party else ''}={number} is not allowed: give {allowed}.")
