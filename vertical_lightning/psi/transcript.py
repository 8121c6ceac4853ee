"""One party's record of a run with one peer: which message is due, and a digest of all that passed."""

from __future__ import annotations

import hashlib

from vertical_lightning.psi.protocol_error import OrderError

STEPS = ("client hello", "server hello", "request", "setup", "response", "reveal", "proof", "answer", "verdict")
"""All messages of a run, in the order in which both parties must take note of them."""


class Transcript:
    """Holds the order of the messages and hashes them, so that the closing proof also covers what was said before.

    Example:
        >>> transcript = Transcript()
        >>> transcript.note("client hello", b"...")
        >>> transcript.note("reveal", b"...")
        Traceback (most recent call last):
        vertical_lightning.psi.protocol_error.OrderError: 'reveal' came where 'server hello' was due. Start a new run.
    """

    def __init__(self) -> None:
        """Begin before the first message."""
        self._noted = 0
        self._hash = hashlib.sha256()

    def note(self, step: str, message: bytes) -> None:
        """Record a message that is sent or received, before it is used.

        Raises:
            OrderError: Another message was due, or this one came before.
        """
        due = STEPS[self._noted] if self._noted < len(STEPS) else "nothing"
        if step != due:
            raise OrderError(f"{step!r} came where {due!r} was due. Start a new run.")
        self._noted += 1
        self._hash.update(hashlib.sha256(message).digest())

    def digest(self) -> bytes:
        """Return the digest of all messages so far: equal at both parties if nothing was changed on the way."""
        return self._hash.digest()
