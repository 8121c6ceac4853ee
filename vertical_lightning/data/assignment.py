"""Which entity trains, validates or tests: a keyed hash of its id, which every party computes for itself."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor


def assign(ids: Sequence[bytes], fractions: Mapping[str, float], rest: str, seed: int) -> dict[str, Tensor]:
    """Divide rows among named splits.

    An entity's split depends on its id and the seed alone: it stays where it is when other entities come or go.

    Args:
        ids: The entities' canonical ids, in row order.
        fractions: The share of each split, each in [0, 1), together below 1.
        rest: The split that takes what remains.
        seed: Key of the hash.

    Returns:
        Ascending row numbers for each split.

    Raises:
        ValueError: If the fractions leave nothing to `rest`.

    >>> {split: len(rows) for split, rows in assign([b"%d" % i for i in range(1000)], {"test": 0.2}, "train", 0).items()}
    {'test': 223, 'train': 777}
    """
    if any(not 0 <= fraction < 1 for fraction in fractions.values()) or sum(fractions.values()) >= 1:
        given = ", ".join(f"{split}_fraction={fraction}" for split, fraction in fractions.items())
        raise ValueError(f"{given} leave no rows to {rest}; each must be in [0, 1) and their sum below 1.")
    places = torch.tensor([place(one, seed) for one in ids], dtype=torch.float64)
    splits, start = {}, 0.0
    for split, fraction in fractions.items():
        splits[split] = torch.nonzero((places >= start) & (places < start + fraction)).flatten()
        start += fraction
    return splits | {rest: torch.nonzero(places >= start).flatten()}


def place(entity: bytes, seed: int) -> float:
    """Map an id to [0, 1), evenly."""
    digest = hashlib.blake2b(entity, key=str(seed).encode(), digest_size=6).digest()
    return int.from_bytes(digest, "big") / 2**48
