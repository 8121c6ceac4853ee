"""One choice for all parties, or a choice for each."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TypeVar

Value = TypeVar("Value")


def per_party(name: str, choice: Value | Mapping[str, Value] | None, parties: Sequence[str]) -> dict[str, Value]:
    """Read one choice for all, or a dict with a choice for each, as a dict.

    >>> per_party("clip_norm", 1.0, ["alice", "bob"])
    {'alice': 1.0, 'bob': 1.0}
    """
    if choice is None:
        return {}
    if not isinstance(choice, Mapping):
        return dict.fromkeys(parties, choice)
    check_parties(name, choice, parties)
    return dict(choice)


def check_parties(name: str, given: Collection[str], parties: Sequence[str]) -> None:
    """Refuse settings for a party that takes no part.

    Raises:
        ValueError: If a given name is none of the parties.
    """
    if unknown := sorted(set(given) - set(parties)):
        raise ValueError(f"{name} is given for {', '.join(unknown)}; the parties are {', '.join(parties)}.")
