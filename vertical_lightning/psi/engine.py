"""The small interface behind which the cryptography sits, so that a faster library can stand in.

The one idea: raising a point of a curve to a secret power hides it, two such powers may be applied in either order, and
the owner of a power can take it off again. Two parties that both raise all ids can compare them, and neither sees the
other's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, Protocol

Kind = Literal["request", "setup", "response"]
"""The messages that carry points: the client's ids under its key, the server's under its own, the client's under
both."""


class Key(Protocol):
    """One secret power. It belongs to one party, one peer and one run, and never leaves the party."""

    def encrypt(self, ids: Sequence[bytes]) -> list[bytes]:
        """Map every id to the curve and raise it to this power, in the given order."""

    def reencrypt(self, points: Sequence[bytes]) -> list[bytes]:
        """Raise the peer's points to this power, in the given order.

        Raises:
            PointError: Something is no point of the curve.
        """

    def strip(self, points: Sequence[bytes]) -> list[bytes]:
        """Take this power off the points, in the given order.

        Raises:
            PointError: Something is no point of the curve.
        """


class Engine(Protocol):
    """Makes keys, and writes and reads the messages that carry points."""

    name: str
    """At most 16 ASCII characters, compared in the handshake."""

    def watched(self, done: Callable[[int], object]) -> Engine:
        """Return this engine, telling `done` now and then how many more points have been worked on."""

    def key(self) -> Key:
        """Draw a fresh secret from the operating system's generator."""

    def pack(self, kind: Kind, points: Sequence[bytes]) -> bytes:
        """Write points as one message."""

    def size(self, kind: Kind, count: int) -> int:
        """Return the exact length in bytes of a message of `count` points."""

    def unpack(self, kind: Kind, message: bytes, count: int) -> list[bytes]:
        """Read a message that must hold exactly `count` distinct points, a setup in strictly ascending order.

        Raises:
            MessageError: The length or the form is wrong.
            PointError: An entry does not have the form of a point.
            RepeatedPointError: A point occurs twice.
            UnsortedSetupError: The setup is not sorted.
        """
