"""A fingerprint of which entities stand where."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence

from torch import Tensor


def digest_of(key: bytes, batches: tuple[bool, int], ids: Mapping[str, Sequence[bytes]], rows: Mapping[str, Tensor]) -> str:
    """Return the digest of aligned entities, their order and splits, under a key.

    Without the key, whoever has a checkpoint could try ids out.

    Args:
        key: The rows' key.
        batches: Whether training rows are shuffled, and the seed of their order.
        ids: By table, the canonical ids in the common order.
        rows: By split, its row numbers.
    """
    state = hmac.new(key, repr(batches).encode(), hashlib.sha256)
    for name, entities in ids.items():
        for entity in entities:
            state.update(f"{name}:{len(entity)}:".encode() + entity)
    for split, numbers in rows.items():
        state.update(f"{split}:{numbers.tolist()}".encode())
    return state.hexdigest()
