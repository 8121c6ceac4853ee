"""Labels as people read them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def named(labels: Sequence[Any], classes: Sequence[str]) -> list[str]:
    """Name the classes of class numbers, or the labels that a row has of several; where labels are numbers, write these.

    >>> named([1, 0], ["cat", "dog"]), named([0.25, 1990.0], []), named([[1.0, 1.0], [0.0, 0.0]], ["late", "paid"])
    (['dog', 'cat'], ['0.25', '1990'], ['late, paid', 'none'])
    """
    if labels and isinstance(labels[0], list):
        return [", ".join(name for name, has in zip(classes, row, strict=True) if has) or "none" for row in labels]
    return [str(classes[int(label)]) if classes else f"{label:g}" for label in labels]
