"""From a choice in the configuration to what each party uses."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from omegaconf import DictConfig, OmegaConf

from vertical_lightning.config.compose import build
from vertical_lightning.schema import Architecture
from vertical_lightning.split.cut import Cut
from vertical_lightning.split.learning_rate import LearningRateSchedule
from vertical_lightning.split.ownership import resolve_all
from vertical_lightning.split.per_party import check_parties


def by_party(choice: DictConfig, parties: Sequence[str], make: Callable[[Any], Any] = build) -> dict[str, Any]:
    """Make a choice for every party, with the party's own differences (`choice.parties.NAME.…`) laid over it."""
    differences = choice.get("parties") or {}
    check_parties("a setting of its own", differences, parties)
    made = {party: make(of_party(choice, party)) for party in parties}
    return {party: choice for party, choice in made.items() if choice}


def of_party(choice: DictConfig, party: str) -> DictConfig:
    """Return what a choice is for a party: its own class, or what all have with the party's differences laid over it."""
    common = {key: value for key, value in choice.items() if key != "parties"}
    differences = (choice.get("parties") or {}).get(party, {})
    return OmegaConf.merge({} if "_target_" in differences else common, differences)  # type: ignore[return-value]


def learning_rate_schedule(node: Any) -> LearningRateSchedule | None:
    """Build a learning-rate schedule, if there is to be one; when it steps stands beside what it does."""
    when = {str(key): node.pop(key) for key in ("interval", "monitor") if key in node}
    return LearningRateSchedule(build(node), **when) if node else None


def architectures(config: DictConfig) -> tuple[Architecture, dict[str, Architecture]]:
    """Build the architecture that the parties have in common, and those of parties with one of their own."""
    return build(of_party(config.architecture, "")), {
        str(party): build(of_party(config.architecture, str(party))) for party in config.architecture.get("parties") or {}
    }


def check_cut(config: DictConfig) -> None:
    """Refuse a cut that this architecture and topology do not have; before anything takes time.

    Raises:
        IllegalCutError: Says which there are.
    """
    common, own = architectures(config)
    resolve_all(build(config.cut), common, len(config.topology.owners), own)


def common_cut(config: DictConfig, own: Collection[str], number: int) -> Cut | dict[str, Cut]:
    """Return the configured cut with another one of the common architecture; parties with one of their own keep theirs."""
    cut = build(config.cut)
    of_own: dict[str, Cut] = {party: cut.get(party) if isinstance(cut, Mapping) else cut for party in own}
    return {**of_own, "others": number} if own else number


def guards(config: DictConfig, members: Sequence[str]) -> dict[str, dict[str, Callable[[], Any]]]:
    """Return by party and name what builds its guards.

    Args:
        config: Its `defense` names guards, each with differences by party (`defense.NAME.parties.PARTY.…`).
        members: All parties.
    """
    chosen: Mapping[str, dict[str, Any]] = {
        str(name): by_party(node, members) for name, node in config.defense.items() if node is not None
    }
    return {party: {name: of[party] for name, of in chosen.items() if party in of} for party in members}
