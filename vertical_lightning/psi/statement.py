"""Says in sentences who learned what from an alignment, with the numbers of this run."""

from __future__ import annotations

from collections.abc import Mapping


def leak_statement(rows: Mapping[str, int], label_holder: str, matches: Mapping[str, int], common: int) -> str:
    """Write who learned what, one sentence a line.

    Args:
        rows: How many ids each party brought.
        label_holder: The party that is the client of every other.
        matches: For each other party, how many of its ids the label holder holds too.
        common: How many ids all parties hold.

    Example:
        >>> print(leak_statement({"bank": 3}, "bank", {}, common=3))
        bank is the only party and keeps all of its 3 ids, sorted. Nothing crossed: nobody learned anything.
    """
    own = f"{rows[label_holder]:,}"
    if not matches:
        return (
            f"{label_holder} is the only party and keeps all of its {own} ids, sorted. "
            "Nothing crossed: nobody learned anything."
        )
    lines = [f"{len(rows)} parties aligned {common:,} common ids."]
    for party, found in matches.items():
        lines.append(
            f"{label_holder} learned that {party} brought {rows[party]:,} ids, "
            f"and which {found:,} of {label_holder}'s own {own} ids are among them."
        )
        lines.append(
            f"{party} learned that {label_holder} brought {own} ids, that {len(rows)} parties take part, "
            f"and which {common:,} of {party}'s own {rows[party]:,} ids all parties hold."
        )
    lines.append("Nobody learned an id that it does not itself hold.")
    lines.append(
        "This holds if every party follows the protocol (semi-honest): a party that brings ids which it only guesses "
        "learns whether they are held, and parties that pool what they learned know the sum of it."
    )
    return "\n".join(lines)
