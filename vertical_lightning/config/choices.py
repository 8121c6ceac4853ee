"""From a choice in the configuration to what each party uses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from omegaconf import DictConfig, OmegaConf

from vertical_lightning.config.compose import build
from vertical_lightning.split.learning_rate import LearningRateSchedule
from vertical_lightning.split.per_party import check_parties


def by_party(choice: DictConfig, parties: Sequence[str], make: Callable[[Any], Any] = build) -> dict[str, Any]:
    """Make a choice for every party, with the party's own differences (`choice.parties.NAME.…`) laid over it."""
    differences = choice.get("parties") or {}
    check_parties("a setting of its own", differences, parties)
    made = {party: make(of_party(choice, party)) for party in parties}
    return {party: one for party, one in made.items() if one}


def of_party(choice: DictConfig, party: str) -> DictConfig:
    """Return what a choice is for a party: what all have, with the party's own differences laid over it."""
    common = {key: value for key, value in choice.items() if key != "parties"}
    return OmegaConf.merge(common, (choice.get("parties") or {}).get(party, {}))  # type: ignore[return-value]


def schedule(node: Any) -> LearningRateSchedule | None:
    """Build a learning-rate schedule, if there is to be one; when it steps stands beside what it does."""
    when = {str(key): node.pop(key) for key in ("interval", "monitor") if key in node}
    return LearningRateSchedule(build(node), **when) if node else None
