"""Whose are which stages: architectures, cuts and owners become one row of stages a party and the rows behind the merge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from vertical_lightning.schema import Architecture, StageFactory, check_party_name
from vertical_lightning.split.cut import Cut, IllegalCutError, resolve

Row = Mapping[str, StageFactory]
"""Stages by name, in order."""

RESERVED = ("merge", "guards", "codecs")
"""What else a party's modules are named."""


@dataclass(frozen=True)
class Ownership:
    """Who owns which stages.

    Attributes:
        bottoms: By feature party, the stages before the merge.
        later: The owners of the stages behind it, in order, each with its row.
    """

    bottoms: Mapping[str, Row]
    later: Sequence[tuple[str, Row]]


def divide(
    architecture: Architecture,
    parties: Sequence[str],
    outputs: int,
    *,
    owners: Sequence[str],
    cut: Cut | Mapping[str, Cut],
    own: Mapping[str, Architecture] | None = None,
) -> Ownership:
    """Divide the stages among their owners.

    Args:
        architecture: Of all parties without one of their own, and of the stages behind the merge.
        parties: The feature parties.
        outputs: How many numbers the head ends in.
        owners: Who owns the stages behind the bottoms, in order.
        cut: Where one owner's stages end; or by party, where its bottom does: see `cut_of`.
        own: By feature party, an architecture of its own, of which it runs the first stages.

    Raises:
        IllegalCutError: There is no such cut.
        ValueError: A party or a stage has a name that is taken.
    """
    for owner in owners:
        check_party_name(owner)
    rows = {party: (own or {}).get(party, architecture).stages(outputs) for party in parties}
    row = architecture.stages(outputs)
    for taken in (name for stages in (row, *rows.values()) for name in stages if name in RESERVED):
        raise ValueError(f"an architecture's stage is named {taken}, as a party's {taken} is; give it another name.")
    common, bottoms = resolve_all(cut, architecture, len(owners), own or {})
    names = list(row)
    ranges = [names[start:end] for start, end in pairwise([*common, len(names)])]
    length = {party: bottoms.get(party, common[0] if common else len(names)) for party in parties}
    return Ownership(
        {party: dict(list(rows[party].items())[: length[party]]) for party in parties},
        [(owner, {name: row[name] for name in part}) for owner, part in zip(owners, ranges, strict=True)],
    )


def resolve_all(
    cut: Cut | Mapping[str, Cut], architecture: Architecture, count: int, own: Mapping[str, Architecture]
) -> tuple[list[int], dict[str, int]]:
    """Turn `cut` into the cuts of the common architecture, and the one of each party's own.

    Args:
        cut: One for all; or by party: for a party with an architecture of its own where its bottom ends, for any other where
            the common stages are cut.
        architecture: The common one.
        count: How many owners there are behind the bottoms.
        own: By party, an architecture of its own.

    Raises:
        IllegalCutError: There is no such cut.
    """
    if isinstance(cut, Mapping):
        of_others = {str(choice): choice for party, choice in cut.items() if party not in own}
        if len(of_others) != 1 and count:
            raise IllegalCutError(
                f"cut={dict(cut)} gives {len(of_others)} cuts of the common architecture; give one, by the name of any party "
                f"that has no architecture of its own ({', '.join(own) or 'nobody'} has), such as the label holder's."
            )
        common, others = next(iter(of_others.values()), None), {party: choice for party, choice in cut.items() if party in own}
    else:
        common, others = cut, {}
    bottoms = {}
    for party, stages in own.items():
        names = list(stages.stages(1))
        choice = others.get(party, common)
        first = choice[0] if isinstance(choice, Sequence) and not isinstance(choice, str) and choice else choice
        try:
            bottoms[party] = resolve(first, names, 1)[0] if count else len(names)
        except IllegalCutError as error:
            raise IllegalCutError(f"{party} has an architecture of its own; give it a cut of its own. {error}") from error
    return resolve(common, list(architecture.stages(1)), count), bottoms
