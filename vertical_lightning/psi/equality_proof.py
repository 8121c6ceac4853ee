"""The last step between two parties: prove that both hold the same aligned ids, and show nothing else.

An intersection of one element each: a digest of the aligned ids, in order, keyed by all messages that passed. Each
party sends its digest under a fresh key; the digests under both keys are then equal exactly if the digests are. They do
not cross either: each party sends a hash that also says who is speaking, so that neither can answer with an echo.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from typing import Literal

from vertical_lightning.psi.engine import Engine
from vertical_lightning.psi.identifiers import keyed_digest
from vertical_lightning.psi.protocol_error import ProofError

Role = Literal["client", "server"]
TAG = 32
"""Bytes of a tag: one SHA-256."""


class EqualityProof:
    """One party's half of the proof.

    Args:
        engine: The engine of the run. A fresh key is drawn.
        transcript: Digest of all messages that passed, at this party.
        ids: The aligned ids as this party holds them, in the common order.

    Example:
        >>> from vertical_lightning.psi.openmined import OpenMined
        >>> mine, yours = (EqualityProof(OpenMined(), b"same", [b"zoe"]) for _ in range(2))
        >>> mine.check("server", yours.point(), tag=yours.tag("server", mine.point()))
    """

    def __init__(self, engine: Engine, transcript: bytes, ids: Sequence[bytes]) -> None:
        """Draw the key and put the digest under it."""
        self._engine = engine
        self._key = engine.key()
        self._point = self._key.encrypt([keyed_digest(transcript, ids)])

    def point(self) -> bytes:
        """Return this party's digest under its own key, as a request of one point."""
        return self._engine.pack("request", self._point)

    def tag(self, speaker: Role, peer_point: bytes) -> bytes:
        """Hash the peer's digest under both keys, as `speaker` says it."""
        points = self._key.reencrypt(self._engine.unpack("request", peer_point, 1))
        return hashlib.sha256(speaker.encode() + points[0]).digest()

    def check(self, speaker: Role, peer_point: bytes, tag: bytes) -> None:
        """Refuse the peer's tag if its digest is another one.

        Raises:
            ProofError: The aligned ids or the messages of the two parties differ.
        """
        if not hmac.compare_digest(tag, self.tag(speaker, peer_point)):
            raise ProofError(
                f"The {speaker} does not hold the same aligned ids, or a message was changed on its way. "
                "Nothing may be trained on this alignment. Run again over an authenticated channel."
            )
