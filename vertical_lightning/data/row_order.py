"""The common order of rows: a party without ids cannot tell from a row's number which id it is.

Sorted ids would tell: whoever knows the ids of a register, such as customer numbers, would know each row's at full overlap, and
nearly so at less. So rows are sorted by a digest under a key that only the parties with rows have; splits are drawn likewise.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

import torch

from vertical_lightning.schema import Alignment

TOLD = (
    "Rows stand in the order of a digest under a key that only these parties have: whoever brings no ids, such as a server, "
    "learns how many common rows there are, and nothing of their ids."
)


def row_key(seed: int) -> bytes:
    """Return the key of rows' order and splits.

    Args:
        seed: A secret of the label holder's between real parties; public in a simulation.
    """
    return hashlib.blake2b(repr(("rows", seed)).encode(), digest_size=32).digest()


def ordered(alignment: Alignment, ids: Sequence[bytes], key: bytes) -> Alignment:
    """Put the common rows into the order of their keyed digests.

    Args:
        alignment: In whatever order all parties share.
        ids: The canonical ids of the common rows, in that order.
        key: Of the digest; up to 64 bytes.
    """
    digests = [hashlib.blake2b(entity, key=key, digest_size=16, person=b"order").digest() for entity in ids]
    order = torch.tensor(sorted(range(len(ids)), key=digests.__getitem__), dtype=torch.int64)
    positions = {party: rows[order] for party, rows in alignment.positions.items()}
    return replace(alignment, positions=positions, statement=f"{alignment.statement}\n{TOLD}")


def place(entity: bytes, key: bytes, purpose: str) -> float:
    """Map an id to [0, 1), evenly, and for each purpose in another way."""
    digest = hashlib.blake2b(entity, key=key, digest_size=6, person=purpose.encode()).digest()
    return int.from_bytes(digest, "big") / 2**48
