"""What all readers of a party's own file say when something is wrong with it, without showing what the file holds.

An error ends up in logs and tickets, where ids and values do not belong. The libraries that decode files quote both freely,
so their words are dropped: `attempt` keeps the kind of an error and, of a CSV, the line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from typing import TypeVar

Value = TypeVar("Value")

_RAGGED = re.compile(r"Expected \d+ fields in line \d+, saw \d+")  # pandas': the only part of its words that quotes no data


def attempt(read: Callable[[], Value], where: str, kind: str) -> Value:
    """Return what `read` returns; turn whatever it raises into one sentence.

    Args:
        read: Calls the library that decodes the file.
        where: Whose file, and which.
        kind: What the file should be.

    Raises:
        ValueError: `read` raised.
    """
    try:
        return read()
    except Exception as error:  # decoders raise nearly everything on garbage
        ragged = _RAGGED.search(str(error))
        fault = type(error).__name__ + (f": {ragged.group()}" if ragged else "")
    # Raised out here, the error has no context: the library's own is not carried along.
    raise ValueError(
        f"{where} cannot be read as {kind} ({fault}). Is it whole, is it what its name says, and may you read it? "
        "If not, write it again."
    )


def refuse_unknown(names: Iterable[str], known: Sequence[str], what: str, where: str) -> None:
    """Refuse names that the file lacks.

    Raises:
        ValueError: Some of `names` are not `known`.
    """
    if unknown := [name for name in dict.fromkeys(names) if name not in known]:
        raise ValueError(
            f"{where} has no {what} {', '.join(unknown)}; {near(unknown, known, what)}. Name them as the file does."
        )


def near(unknown: Sequence[str], known: Sequence[str], what: str) -> str:
    """Say which known names resemble the unknown ones. The others stay unsaid: without a line of names they are data.

    >>> near(["custmer"], ["customer", "age"], "column"), near(["id"], ["4711", "cook"], "column")
    ('of its 2 the nearest: customer', 'it has 2, none with a name like that; is the line of names missing?')
    """
    alike = sorted({match for name in unknown for match in get_close_matches(name, known, 3, 0.5)})
    if alike:
        return f"of its {len(known)} the nearest: {', '.join(alike)}"
    return f"it has {len(known)}, none with a name like that{'; is the line of names missing?' if what == 'column' else ''}"
