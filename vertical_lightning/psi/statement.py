"""Says in sentences who learned what from an alignment, with the numbers of this run."""

from __future__ import annotations

from collections.abc import Mapping

from vertical_lightning.psi.padding import padded

ALWAYS = (
    "Nobody learned an id that it does not itself hold.",
    "This holds if every party follows the protocol (semi-honest): a party that brings ids which it only guesses "
    "learns whether they are held, and parties that pool what they learned know the sum of it.",
)


def leak_statement(
    rows: Mapping[str, int],
    label_holder: str,
    matches: Mapping[str, int],
    common: int,
    *,
    bucket: int | None = None,
    min_overlap: int | None = None,
) -> str:
    """Write who learned what, one sentence a line.

    Args:
        rows: How many ids each party brought.
        label_holder: The party that is the client of every other.
        matches: For each other party, how many of its ids the label holder holds too.
        common: How many ids all parties hold.
        bucket: The lists were filled up to a multiple of it.
        min_overlap: Each pair counted first, and would have stopped below it.

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
    for party, count in matches.items():
        counted = "" if min_overlap is None else f"first how many of them {party} holds, then "
        lines.append(
            f"{label_holder} learned that {party} brought {brought(rows[party], bucket)}, "
            f"and {counted}which {count:,} of {label_holder}'s own {own} ids are among them."
        )
        theirs = brought(rows[label_holder], bucket)
        lines.append(partner_learned(party, rows[party], label_holder, theirs, common, len(rows)))
    if min_overlap is not None:
        lines.append(f"Before that every pair counted its common ids, and would have stopped below {min_overlap:,}.")
    return "\n".join([*lines, *ALWAYS])


def partner_statement(party: str, own: int, label_holder: str, announced: int, common: int, parties: int) -> str:
    """Write the statement of a partner in a process of its own: the part that it knows.

    >>> print(partner_statement("shop", 5, "bank", 7, common=3, parties=2).splitlines()[1])
    shop learned that bank brought 7 ids, that 2 parties take part, and which 3 of shop's own 5 ids all parties hold.
    """
    lines = [
        f"{parties} parties aligned {common:,} common ids.",
        partner_learned(party, own, label_holder, f"{announced:,} ids", common, parties),
        f"{label_holder} learned which of its own ids each other party holds.",
    ]
    return "\n".join([*lines, *ALWAYS])


def partner_learned(party: str, own: int, label_holder: str, theirs: str, common: int, parties: int) -> str:
    """Say what a partner learned."""
    return (
        f"{party} learned that {label_holder} brought {theirs}, that {parties} parties "
        f"take part, and which {common:,} of {party}'s own {own:,} ids all parties hold."
    )


def brought(count: int, bucket: int | None) -> str:
    """Say what others see of the number of a party's ids.

    >>> brought(3, None), brought(3, 1000)
    ('3 ids', 'at most 1,000 ids')
    """
    return f"{count:,} ids" if bucket is None else f"at most {padded(count, bucket):,} ids"
