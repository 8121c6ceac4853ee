"""What the words of a command line sweep, and what they fix."""

from __future__ import annotations

from collections.abc import Iterable

from hydra.core.override_parser.overrides_parser import OverridesParser


def varied(overrides: Iterable[str]) -> list[str]:
    """Name the keys that overrides give several values; the last word on a key counts.

    >>> varied(["cut=1,2", "seed=0", "+a=choice(1,2)", "cut=all", "lr=1,2", "lr=3"])
    ['cut', 'a']
    """
    parsed = OverridesParser.create().parse_overrides(list(overrides))
    several = {override.key_or_group: override.is_sweep_override() or is_every(override.input_line) for override in parsed}
    return [name for name, yes in several.items() if yes]


def fixed(overrides: Iterable[str]) -> list[str]:
    """Name the keys that overrides give one value.

    >>> fixed(["cut=1,2", "seed=0"])
    ['seed']
    """
    overrides = list(overrides)
    parsed = OverridesParser.create().parse_overrides(overrides)
    return sorted({override.key_or_group for override in parsed} - set(varied(overrides)))


def is_every(override: str | None) -> bool:
    """Whether an override asks for every legal cut."""
    return override == "cut=all"
