"""Which ids a run trained on, for the label holder's own checkpoint: digests by which it knows them again."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Tensor


@dataclass(frozen=True)
class TrainedIds:
    """Digests of 8 bytes, keyed by a key of this run.

    They keep two runs' files from being compared, and ids from being read; who holds the file and guesses an id can tell
    whether it was trained on.

    Attributes:
        key: Hexadecimal.
        digests: int64, sorted: their order tells nothing.

    >>> TrainedIds.of([b"a", b"b"]).new([b"b", b"c", b"d"])
    2
    """

    key: str
    digests: Tensor

    @classmethod
    def of(cls, ids: Sequence[bytes]) -> Self:
        """Remember these canonical ids."""
        key = secrets.token_hex(16)
        return cls(key, _digests(ids, key).sort().values)

    def new(self, ids: Sequence[bytes]) -> int:
        """Count the ids that were not trained on."""
        return int((~torch.isin(_digests(ids, self.key), self.digests)).sum())

    def state_dict(self) -> dict[str, Any]:
        """What the checkpoint keeps."""
        return {"key": self.key, "digests": self.digests}

    @classmethod
    def restored(cls, state: Mapping[str, Any]) -> Self:
        """Return what a checkpoint kept."""
        return cls(state["key"], state["digests"])


def _digests(ids: Sequence[bytes], key: str) -> Tensor:
    digests = [hashlib.blake2b(entity, key=key.encode(), digest_size=8).digest() for entity in ids]
    return torch.tensor([int.from_bytes(digest, "big", signed=True) for digest in digests], dtype=torch.int64)
