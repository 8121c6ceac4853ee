"""Sentences for too few common ids: sizes that help to find the cause, and never an id."""

from __future__ import annotations

from collections.abc import Mapping


def nothing_common(rows: Mapping[str, int], label_holder: str, found: Mapping[str, int]) -> str:
    """Say who brought how many, and which pairs share how many."""
    brought = ", ".join(f"{party} {count:,}" for party, count in rows.items())
    shared = ", ".join(f"{label_holder} and {party} {count:,}" for party, count in found.items())
    return (
        f"No entity is common to all parties. Ids brought: {brought}. Ids shared: {shared}. "
        "Check that the ids name the same thing at every party and are written alike: text is compared after "
        "stripping, case kept, and '007' is not 7."
    )


def below_minimum(minimum: int | None, who: str, count: int) -> str:
    """Say who shares how many."""
    return (
        f"psi.min_overlap={minimum}, but {who} share only {count:,} ids. Nothing was aligned. "
        "Lower it, or bring parties with more entities in common."
    )
