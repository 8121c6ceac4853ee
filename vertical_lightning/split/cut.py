"""Where one owner's stages end: reading `cut=` against an architecture's row of stages."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import combinations, pairwise

Cut = int | str | Sequence[int | str] | None
"""A number of stages (negative: counted from the end), a stage's name, a percentage of the stages, one of these per cut, or
None for no cut."""


class IllegalCutError(ValueError):
    """This architecture and topology have no such cut; a sweep skips the job."""


def resolve(cut: Cut, stages: Sequence[str], count: int) -> list[int]:
    """Turn `cut` into `count` ascending numbers of stages.

    A single cut ends the bottoms; each later owner but the first then starts as late as it can, with one stage for each owner
    after it: `cut=1` of `fc1 fc2 fc3 head` between three owners means `[1, 3]`.

    Args:
        cut: What the user wrote.
        stages: The architecture's stages in order.
        count: How many cuts the topology needs: its owners after the bottoms.

    Raises:
        IllegalCutError: If a cut is unknown, out of range or out of order, or if there are too few or too many.

    >>> resolve("fc1", ["fc1", "fc2", "head"], 1)
    [1]
    >>> resolve(1, ["fc1", "fc2", "head"], 2)
    [1, 2]
    >>> resolve("50%", ["conv1", "conv2", "fc1", "fc2", "head"], 1)
    [3]
    """
    given = spread(cut, count)
    if count >= len(stages):
        raise IllegalCutError(
            f"this topology has {count + 1} owners in a row, but the architecture has only {len(stages)} stages: "
            f"{', '.join(stages)}. Choose fewer topology.owners or an architecture with more stages."
        )
    if len(given) != count:
        raise IllegalCutError(
            f"cut={cut} gives {len(given)} cuts, but this topology has {count} owners after the bottoms and needs "
            f"{count}. " + ("Say cut=null." if count == 0 else f"Say cut=[{', '.join(stages[:count])}], for example.")
        )
    cuts = [index(choice, stages, cut, len(given) - place) for place, choice in enumerate(given)]
    if any(later <= earlier for earlier, later in pairwise(cuts)):
        raise IllegalCutError(
            f"cut={cut} means cuts after stages {cuts}, but every owner needs at least one of the stages "
            f"{', '.join(stages)}. Cut earlier, give ascending cuts, or choose an architecture with more stages."
        )
    return cuts


def legal(stages: Sequence[str], count: int) -> list[int]:
    """List the single cuts that `resolve` accepts.

    >>> legal(["fc1", "fc2", "fc3", "head"], 2)
    [1, 2]
    """
    return list(range(1, len(stages) - count + 1)) if count else []


def every(stages: Sequence[str], count: int) -> list[tuple[int, ...]]:
    """List all cuts that `resolve` accepts, one number for each owner after the bottoms.

    >>> every(["fc1", "fc2", "fc3", "head"], 2)
    [(1, 2), (1, 3), (2, 3)]
    """
    return list(combinations(range(1, len(stages)), count))


def written(cuts: Sequence[int]) -> str:
    """Write cuts as `cut=` takes them.

    >>> written([2]), written([1, 3]), written([])
    ('2', '[1,3]', 'null')
    """
    return str(cuts[0]) if len(cuts) == 1 else f"[{','.join(map(str, cuts))}]" if cuts else "null"


def spread(cut: Cut, count: int) -> list[int | str]:
    """Write a single cut as one cut for each owner."""
    if cut is None:
        return []
    if isinstance(cut, int | str | float):
        return [cut, *range(1 - count, 0)]
    return list(cut)


def index(cut: int | str, stages: Sequence[str], given: Cut, owners: int = 1) -> int:
    """Turn one cut into the number of stages before it; as many owners as given come after it."""
    between = range(1, len(stages))
    number: object = stages.index(cut) + 1 if isinstance(cut, str) and cut in stages else fraction(cut, len(stages), owners)
    if isinstance(number, int) and not isinstance(number, bool):
        number = number + len(stages) if number < 0 else number
        if number in between:
            return number
    if given == "all":
        raise IllegalCutError(
            "cut=all stands for every legal cut in a sweep: say vl-train -m, with Hydra's own hydra/sweeper=grid."
        )
    choices = ", ".join(f"{number} ({stages[number - 1]})" for number in between) or "none: it has one stage"
    raise IllegalCutError(f"cut={given} is no cut between the stages {', '.join(stages)}; legal cuts: {choices}.")


def fraction(cut: int | str, stages: int, owners: int = 1) -> int | str:
    """Turn a percentage strictly between 0 and 100 into the nearest cut with a stage for each later owner; else return `cut`.

    >>> fraction("25%", 3), fraction("50%", 6), fraction("99%", 3), fraction("fc1", 3)
    (1, 3, 2, 'fc1')
    """
    if not isinstance(cut, str) or not re.fullmatch(r"\d+(\.\d+)?%", cut) or not 0 < float(cut[:-1]) < 100:
        return cut
    return min(max(int(float(cut[:-1]) / 100 * stages + 0.5), 1), stages - owners)
