"""Labels as people read them."""

from __future__ import annotations

from collections.abc import Sequence


def named(labels: Sequence[int | float], classes: Sequence[str]) -> list[str]:
    """Name the classes of class numbers; where there are no classes, write the numbers.

    >>> named([1, 0], ["cat", "dog"]), named([0.25, 1990.0], [])
    (['dog', 'cat'], ['0.25', '1990'])
    """
    return [str(classes[int(label)]) if classes else f"{label:g}" for label in labels]
