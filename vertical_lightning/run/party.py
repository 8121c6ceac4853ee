"""A run as one of its parties."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Mapping
from pathlib import Path

from vertical_lightning.config.compose import Configuration, stand_alone


def run_party(
    config: Configuration, name: str, rendezvous: str, compared: Mapping[str, str | float] | None = None
) -> dict[str, float]:
    """Train as one party."""
    begin_party()
    from vertical_lightning.run.build import experiment
    from vertical_lightning.run.train import train

    if config.party_seed is None:
        kept = kept_seed(config.ckpt_path, name)
        config.party_seed = secrets.randbits(128) if kept is None else kept
    with experiment(config, name, rendezvous) as run:
        return train(run, compared)


def begin_party() -> None:
    """Log as a process of rank zero, and give reading threads the interpreter at once: by default they wait for 5 ms."""
    sys.setswitchinterval(1e-4)
    stand_alone()


def kept_seed(ckpt_path: str | None, name: str) -> int | None:
    """Return the private seed of the run to go on with."""
    if ckpt_path is None:
        return None
    from vertical_lightning.split.checkpoint_file import read
    from vertical_lightning.split.checkpoint_places import place

    file = place(Path(ckpt_path), name)
    return read(file)["party_seed"] if file.is_file() else None
