"""What a message may be, and the one place where the words of a peer are parsed.

A form is a function that takes a value, or says in a ValueError what it must be. Forms are closed: what they do not name is
refused. No error quotes a value: it is a peer's.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from typing import Any

DEPTH = 8
"""Lists within objects within lists … that a message may have; none of the package's own has more than five."""

Form = Callable[[object], None]


def parse(message: bytes, form: Form) -> Any:
    """Return what a message says.

    Raises:
        ValueError: It cannot be read, or says something else than the form allows.

    >>> parse(b'{"step": 3}', fields(step=whole(0)))
    {'step': 3}
    >>> parse(b'{"step": true}', fields(step=whole(0)))
    Traceback (most recent call last):
    ValueError: step: it must be an integer from 0
    """
    try:
        text = message.decode()
        if _depth(text) > DEPTH:
            raise ValueError
        said = json.loads(text, object_pairs_hook=_once, parse_constant=_no_number)
    except ValueError:
        raise ValueError("it is no message that can be read") from None
    form(said)
    return said


def _depth(text: str) -> int:
    """Return the depth of nested brackets outside of strings; counted before parsing, because the parser is recursive."""
    deepest = depth = 0
    for sign in re.findall(r"[\[{\]}]", re.sub(r'"(?:[^"\\]|\\.)*+"', "", text)):
        depth += 1 if sign in "[{" else -1
        deepest = max(deepest, depth)
    return deepest


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a repeated key: two readers could take two values."""
    fields_by_name = dict(pairs)
    if len(fields_by_name) != len(pairs):
        raise ValueError
    return fields_by_name


def _no_number(name: str) -> None:
    raise ValueError


def text(pattern: str = ".*", most: int = 200) -> Form:
    """Printable text of one line; the whole of it fits the pattern."""

    def check(value: object) -> None:
        if not isinstance(value, str) or len(value) > most or not value.isprintable() or not re.fullmatch(pattern, value):
            raise ValueError(f"it must be printable text of up to {most} characters like {pattern}")

    return check


def exactly(wanted: str) -> Form:
    """One text only."""

    def check(value: object) -> None:
        if value != wanted:
            raise ValueError(f"it must be {wanted!r}")

    return check


def whole(low: int, high: int = 2**53) -> Form:
    """An integer; a truth value is none."""

    def check(value: object) -> None:
        if type(value) is not int or not low <= value <= high:
            raise ValueError(f"it must be an integer from {low:,}" + (f" to {high:,}" if high < 2**53 else ""))

    return check


def real(low: float, high: float) -> Form:
    """A finite number."""

    def check(value: object) -> None:
        if type(value) not in (int, float) or not math.isfinite(value) or not low <= value <= high:  # type: ignore[arg-type, operator]
            raise ValueError(f"it must be a number from {low:g} to {high:g}")

    return check


def truth(value: object) -> None:
    """True or false."""
    if not isinstance(value, bool):
        raise ValueError("it must be true or false")


def nothing(value: object) -> None:
    """None, which stands for what a party does not have."""
    if value is not None:
        raise ValueError("it must be null")


def either(*forms: Form) -> Form:
    """One of several forms."""

    def check(value: object) -> None:
        said = []
        for form in forms:
            try:
                return form(value)
            except ValueError as error:
                said.append(str(error))
        raise ValueError(", or ".join(said))

    return check


def several(form: Form, most: int) -> Form:
    """A list."""

    def check(value: object) -> None:
        if not isinstance(value, list) or len(value) > most:
            raise ValueError(f"it must be a list of up to {most}")
        for number, item in enumerate(value):
            _within(f"number {number}", form, item)

    return check


def named(key: Form, form: Form, most: int) -> Form:
    """An object whose keys are not known before."""

    def check(value: object) -> None:
        if not isinstance(value, dict) or len(value) > most:
            raise ValueError(f"it must be an object of up to {most} keys")
        for number, (name, item) in enumerate(value.items()):
            _within(f"the name of entry {number}", key, name)
            _within(f"entry {number}", form, item)

    return check


def fields(optional: Mapping[str, Form] | None = None, /, **required: Form) -> Form:
    """An object whose keys are known."""
    allowed = {**(optional or {}), **required}

    def check(value: object) -> None:
        if not isinstance(value, dict) or not required.keys() <= value.keys() <= allowed.keys():
            missable = f", and may have {', '.join(optional)}" if optional else ""
            raise ValueError(f"it must be an object with {', '.join(required) or 'nothing in it'}{missable}")
        for name, item in value.items():
            _within(name, allowed[name], item)

    return check


def _within(name: str, form: Form, value: object) -> None:
    try:
        form(value)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
