"""What goes wrong between two parties: one base error, and one error for each kind of refused message.

None of them quotes a message or an id: a refused message is described by sizes and positions only.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class ProtocolError(ValueError):
    """A message of the other party was refused. The run is over: start a new one, with fresh keys."""


class HandshakeError(ProtocolError):
    """The two parties do not run the same protocol, engine or number of parties."""


class NormalizerError(HandshakeError):
    """The two parties turn ids into bytes by different rules, so equal ids could look different."""


class OrderError(ProtocolError):
    """A message came, or was asked for, before its turn or twice."""


class FrameError(ProtocolError):
    """A frame is malformed, too long, or not the one that was due."""


class ClosedError(ProtocolError):
    """The other party ended the run."""


class MessageError(ProtocolError):
    """A message has the wrong length or is not of the agreed form."""


class PointError(ProtocolError):
    """A message contains bytes that are not a point of the curve."""


class RepeatedPointError(ProtocolError):
    """A message holds one point twice, which an honest party's distinct ids never do."""


class UnsortedSetupError(ProtocolError):
    """The setup is not strictly sorted, so its order could tell about the order of rows."""


class PositionsError(ProtocolError):
    """The revealed positions are not strictly ascending or not inside the setup."""


class ProofError(ProtocolError):
    """The two parties do not hold the same aligned ids, or did not see the same messages."""


@contextmanager
def aligning_with(party: str) -> Iterator[None]:
    """Name the party whose message is refused."""
    try:
        yield
    except ProtocolError as error:
        raise type(error)(f"{party}'s message is refused in the alignment. {error}") from error
