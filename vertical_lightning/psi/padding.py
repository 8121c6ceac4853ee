"""Hides how many ids a party has: the list is filled up to a round, public number."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

_DUMMY = b"\xfe"  # occurs in no UTF-8 text and begins no composite key, so a dummy never equals an id


def pad(keys: Sequence[bytes], bucket: int | None) -> list[bytes]:
    """Return the ids with so many random dummies behind them that their number is a multiple of `bucket`.

    No other party can have drawn the same dummies, so none is ever common; they stand last, so row numbers stay.

    >>> len(pad([b"ann", b"bob", b"eve"], bucket=10)), len(pad([b"ann"], bucket=None))
    (10, 1)
    """
    return [*keys, *(_DUMMY + secrets.token_bytes(32) for _ in range(padded(len(keys), bucket) - len(keys)))]


def padded(count: int, bucket: int | None) -> int:
    """Return how many ids `count` ids look like.

    >>> padded(11, 10), padded(10, 10), padded(11, None)
    (20, 10, 11)
    """
    return count if bucket is None else -(-count // bucket) * bucket
