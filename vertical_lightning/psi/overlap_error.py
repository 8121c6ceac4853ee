"""Sentences for too few common ids: sizes that help to find the cause, and never an id."""

from __future__ import annotations

from collections.abc import Mapping

from vertical_lightning.psi.padding import padded


def nothing_common(rows: Mapping[str, int], label_holder: str, matches: Mapping[str, int], bucket: int | None = None) -> str:
    """Return a sentence: no id is common; how many each party brought, as far as others may know, and each pair shares."""
    brought = ", ".join(f"{party} {padded(count, bucket):,}" for party, count in rows.items())
    shared = ", ".join(f"{label_holder} and {party} {count:,}" for party, count in matches.items())
    return (
        f"No entity is common to all parties. Ids brought: {brought}. Ids shared: {shared}. "
        "Check that the ids name the same thing at every party and are written alike: text is compared after "
        "stripping, case kept, '007' is not 7, and '7.0' is neither."
    )


def below_minimum(minimum: int | None, who: str, count: int) -> str:
    """Return a sentence: how few ids some parties share, and the minimum."""
    return (
        f"psi.min_overlap={minimum}, but {who} share only {count:,} ids. Nothing was aligned. "
        "Lower it, or bring parties with more entities in common."
    )


def too_few(minimum: int | None, label_holder: str, matches: Mapping[str, int], common: int) -> str:
    """Say what a run that stopped after its pairs had matched has shown already, and to whom."""
    learned = ", ".join(f"{count:,} {party} holds" for party, count in matches.items())
    return (
        f"psi.min_overlap={minimum}, but all {len(matches) + 1} parties share only {common:,} ids. {label_holder} learned "
        f"which of its own ids each partner holds ({learned}); the partners were told nothing, and no rows are aligned. "
        "Lower it, or bring parties with more entities in common."
    )
