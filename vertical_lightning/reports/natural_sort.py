"""A swept value as text, and the order in which people read such texts."""

from __future__ import annotations

import re
from collections.abc import Collection

Chunk = tuple[bool, float, str]

NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]*)?(e[+-]?[0-9]+)?", re.IGNORECASE)


def text(value: object) -> str:
    """Write a value as it would be typed on the command line.

    >>> text([1, "fc2"]), text(True), text(0.01)
    ('[1, fc2]', 'true', '0.01')
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(map(text, value))}]"
    return "null" if value is None else str(value)


def many_numbers(values: Collection[str], most: int) -> bool:
    """Whether there are more than `most` values, all of them numbers: they are a scale then, and not choices.

    >>> many_numbers(["0.1", "1e-3", "2"], most=2), many_numbers(["mlp", "lenet", "vgg11"], most=2)
    (True, False)
    """
    return len(values) > most and all(map(NUMBER.fullmatch, values))


def natural(value: str) -> tuple[Chunk, ...]:
    """Return a key to sort by: numbers by size, also those within words; what is absent comes last.

    >>> sorted(["fc10", "fc2", "50%", "10", "9", "", "-1"], key=natural)
    ['-1', '9', '10', '50%', 'fc2', 'fc10', '']
    """
    if not value:
        return ((True, 1.0, ""),)
    if NUMBER.fullmatch(value):
        return ((False, float(value), ""),)
    chunks = [chunk for chunk in re.split(r"([0-9]+(?:\.[0-9]+)?)", value) if chunk]
    return tuple((False, float(chunk), "") if NUMBER.fullmatch(chunk) else (True, 0.0, chunk) for chunk in chunks)
