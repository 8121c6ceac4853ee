"""Messages as numbered frames: what a channel carries, and what is refused."""

from __future__ import annotations

import struct

from vertical_lightning.psi.channel import Channel
from vertical_lightning.psi.protocol_error import FrameError, MessageError, OrderError
from vertical_lightning.psi.transcript import STEPS

_HEADER = struct.Struct(">BIQI")  # step, number of the frame, bytes of the whole message, bytes of this frame
HEADER = _HEADER.size
"""Bytes before each frame's payload."""

PAYLOAD = 4096 * 35
"""Most bytes of a message in one frame: 4,096 points, far below the 4 MiB that gRPC takes."""


def frame_count(size: int) -> int:
    """Return how many frames a message of `size` bytes takes; an empty one takes one."""
    return max(1, -(-size // PAYLOAD))


class Line:
    """One party's end of a conversation: cuts messages into frames, and puts the peer's together.

    Attributes:
        sent: Bytes sent so far, headers included.
        received: The same of what came.

    Example:
        >>> from vertical_lightning.psi.channel import LocalChannel
        >>> here, there = map(Line, LocalChannel.pair())
        >>> here.send("client hello", b"good day")
        >>> there.receive("client hello", most=100), here.sent
        (b'good day', 25)
    """

    def __init__(self, channel: Channel) -> None:
        """Begin."""
        self._channel = channel
        self.sent = self.received = 0

    def send(self, step: str, message: bytes) -> None:
        """Send one message."""
        for number in range(frame_count(len(message))):
            payload = message[number * PAYLOAD : (number + 1) * PAYLOAD]
            frame = _HEADER.pack(STEPS.index(step), number, len(message), len(payload)) + payload
            self._channel.send(frame)
            self.sent += len(frame)

    def receive(self, step: str, most: int) -> bytes:
        """Wait for one message of at most so many bytes.

        Raises:
            FrameError: A frame is malformed, too long, or not the next one.
            OrderError: The frame belongs to another message than the one that is due.
            MessageError: The message announces more bytes than it may have.
            ClosedError: The peer ended the run.
        """
        message, number, total = bytearray(), 0, 0
        while not number or len(message) < total:
            frame = self._channel.receive()
            self.received += len(frame)
            announced, payload = _read(frame, step, number)
            if announced > most:
                raise MessageError(f"The {step} announces {announced:,} bytes; it may have {most:,}.")
            if number and announced != total:
                raise FrameError(f"Frame {number} of the {step} announces {announced:,} bytes, the first {total:,}.")
            total = announced
            if len(payload) != min(PAYLOAD, total - len(message)):
                raise FrameError(f"Frame {number} of the {step} holds {len(payload):,} bytes, not those that were due.")
            message += payload
            number += 1
        return bytes(message)

    def close(self) -> None:
        """End the conversation."""
        self._channel.close()


def _read(frame: bytes, step: str, number: int) -> tuple[int, bytes]:
    """Return the bytes of the whole message, and the payload."""
    if not HEADER <= len(frame) <= HEADER + PAYLOAD:
        raise FrameError(f"A frame has {len(frame):,} bytes; {HEADER} to {HEADER + PAYLOAD:,} are allowed.")
    kind, at, total, size = _HEADER.unpack_from(frame)
    if kind >= len(STEPS):
        raise FrameError(f"A frame is of kind {kind}; there are kinds 0 to {len(STEPS) - 1}.")
    if STEPS[kind] != step:
        raise OrderError(f"{STEPS[kind]!r} came where {step!r} was due. Start a new run.")
    if at != number:
        raise FrameError(f"Frame {at} of the {step} came where frame {number} was due.")
    if size != len(frame) - HEADER:
        raise FrameError(f"Frame {at} of the {step} says that it holds {size:,} bytes, but it holds {len(frame) - HEADER:,}.")
    return total, frame[HEADER:]
