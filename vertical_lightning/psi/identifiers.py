"""Turns the ids of one party into bytes that are the same bytes at every party.

Two parties rarely write an id alike: one stores the number 5, the other the text "5 "; one types "é" as one character,
the other as two. The intersection compares bytes, so both write every id in one canonical form first. No error in this
file ever shows an id: an error ends up in logs and tickets, where ids do not belong. It gives counts and row numbers.
"""

from __future__ import annotations

import hashlib
import hmac
import math
import unicodedata
from collections.abc import Iterable, Sequence
from numbers import Integral

NORMALIZER = 1
"""Version of the rules below. Raise it with every change of them: parties with different rules must not meet."""

_COMPOSITE = b"\xff"  # occurs in no UTF-8 text, so a composite key never equals a plain one
_SHOWN = 5


def canonical(ids: Iterable[object], party: str) -> list[bytes]:
    r"""Write every id of one party in canonical bytes, in row order.

    Text is stripped and brought to Unicode NFC, case kept. Integers are written in decimal, so 5 and "5" are one id. A
    tuple is a composite key: its parts are written with their lengths, so that ("ab", "c") and ("a", "bc") differ.

    Args:
        ids: One id a row: text, integers (Python's or NumPy's), or tuples of these.
        party: The party's name, for the errors.

    Raises:
        ValueError: There is no id; an id is missing, empty, of another type or not valid Unicode; or one occurs twice.

    Example:
        >>> canonical([5, " Zoe\u0301 ", ("de", 7)], party="bank")
        [b'5', b'Zo\xc3\xa9', b'\xff\x00\x00\x00\x02de\x00\x00\x00\x017']
    """
    keys: list[bytes] = []
    faults: dict[str, list[int]] = {}
    for row, value in enumerate(ids):
        key = encode(value)
        if isinstance(key, str):
            faults.setdefault(key, []).append(row)
        else:
            keys.append(key)
    if faults:
        told = "; ".join(f"{len(rows)} {fault} ({row_numbers(rows)})" for fault, rows in faults.items())
        raise ValueError(
            f"{party}: not every id can be used: {told}. Allowed are non-empty text, integers, and tuples of these. "
            "Drop or repair those rows before aligning."
        )
    if not keys:
        raise ValueError(f"{party} brought no ids. Alignment needs at least one id at every party.")
    _refuse_duplicates(keys, party)
    return keys


def encode(value: object) -> bytes | str:
    """Return one id's canonical bytes, or a string that says what is wrong without showing the id."""
    if not isinstance(value, tuple):
        return _encode_scalar(value)
    parts = [_encode_scalar(part) for part in value]
    fault = next((part for part in parts if isinstance(part, str)), None)
    if fault is not None:
        return f"inside a tuple: {fault}"
    sized = [len(part).to_bytes(4, "big") + part for part in parts if isinstance(part, bytes)]
    return _COMPOSITE + b"".join(sized) if sized else "empty"


def keyed_digest(secret: bytes, keys: Iterable[bytes]) -> bytes:
    """Return a hash of canonical ids, in order, that nobody without the secret can guess or compare.

    >>> keyed_digest(b"secret", [b"ab", b"c"]) == keyed_digest(b"secret", [b"a", b"bc"])
    False
    """
    digest = hmac.new(secret, digestmod=hashlib.sha256)
    for key in keys:
        digest.update(len(key).to_bytes(4, "big") + key)
    return digest.digest()


def _encode_scalar(value: object) -> bytes | str:
    if isinstance(value, str):
        return _encode_text(value)
    if isinstance(value, Integral) and not isinstance(value, bool):
        try:
            return str(int(value)).encode()
        except ValueError:  # Python's limit against slow conversions: 4,300 digits
            return "an integer too long to write"
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "missing (None or NaN)"
    if isinstance(value, float):
        # 2**53 + 1 and 2**53 are one float: two entities would become one.
        return "of type float (cast to integers; pandas turns integers to floats where a value is missing)"
    return f"of type {type(value).__name__}"


def _encode_text(text: str) -> bytes | str:
    text = unicodedata.normalize("NFC", text).strip()
    if not text:
        return "empty"
    try:
        return text.encode()
    except UnicodeEncodeError:  # its message shows the character; returning from here drops it
        return "not valid Unicode"


def _refuse_duplicates(keys: Sequence[bytes], party: str) -> None:
    if len(set(keys)) == len(keys):
        return
    by_key: dict[bytes, list[int]] = {}
    for row, key in enumerate(keys):
        by_key.setdefault(key, []).append(row)
    repeated = [rows_of_key for rows_of_key in by_key.values() if len(rows_of_key) > 1]
    rows = sorted(row for rows_of_key in repeated for row in rows_of_key)
    raise ValueError(
        f"{party}: {len(repeated)} ids occur more than once ({row_numbers(rows)}), after stripping and Unicode NFC. "
        "One entity may have one row: merge those rows before aligning."
    )


def row_numbers(rows: Sequence[int]) -> str:
    """Write down the first few row numbers and how many more there are."""
    shown = ", ".join(map(str, rows[:_SHOWN]))
    more = f" and {len(rows) - _SHOWN:,} more" if len(rows) > _SHOWN else ""
    return f"{'row' if len(rows) == 1 else 'rows'} {shown}{more}"
