"""What carries frames between two parties; here within one process, elsewhere over a network."""

from __future__ import annotations

from queue import SimpleQueue
from typing import Protocol

from vertical_lightning.psi.protocol_error import ClosedError


class Channel(Protocol):
    """One party's end of a line to one peer. Frames arrive whole and in order; their form is `frames.Line`'s business."""

    def send(self, frame: bytes) -> None:
        """Hand a frame over."""

    def receive(self) -> bytes:
        """Wait for a frame.

        Raises:
            ClosedError: The peer has closed its end.
        """

    def close(self) -> None:
        """Say that nothing more will be sent; may be called twice."""


class LocalChannel:
    """An end of a line within one process.

    Example:
        >>> here, there = LocalChannel.pair()
        >>> here.send(b"hello")
        >>> there.receive()
        b'hello'
    """

    def __init__(self, out: SimpleQueue[bytes | None], into: SimpleQueue[bytes | None]) -> None:
        """Keep both directions."""
        self._out, self._into = out, into

    @classmethod
    def pair(cls) -> tuple[LocalChannel, LocalChannel]:
        """Make both ends."""
        there: SimpleQueue[bytes | None] = SimpleQueue()
        back: SimpleQueue[bytes | None] = SimpleQueue()
        return cls(there, back), cls(back, there)

    def send(self, frame: bytes) -> None:
        """Hand a frame over."""
        self._out.put(frame)

    def receive(self) -> bytes:
        """Wait for a frame."""
        frame = self._into.get()
        if frame is None:
            self._into.put(None)  # closed it stays
            raise ClosedError("The other party has ended the run; its own message says why.")
        return frame

    def close(self) -> None:
        """Say that nothing more will be sent."""
        self._out.put(None)
