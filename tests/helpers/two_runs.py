"""What two runs of the same must have in common, to the last bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from vertical_lightning.split.checkpoints import PartyCheckpoints

MEASURED = ("time/", "psi/seconds", "psi/cache_hit", "wire/measured/", "wire/framed/")
"""What a clock says, and what only connections have."""


def weights(folder: Path) -> dict[str, Any]:
    found = PartyCheckpoints().load_checkpoint(folder)
    states = {
        f"optimizer {number} {key}": value for number, one in enumerate(found["optimizer_states"]) for key, value in flat(one)
    }
    return {**found["state_dict"], **states, "step": found["global_step"]}


def flat(state: dict[str, Any]) -> list[tuple[str, Any]]:
    return [(f"{name} {key}", value) for name, one in state["state"].items() for key, value in one.items()]


def comparable(metrics: dict[str, float]) -> dict[str, float]:
    return {name: value for name, value in metrics.items() if not name.startswith(MEASURED)}
