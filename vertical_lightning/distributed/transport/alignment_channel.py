"""The alignment's frames, among the other messages between two parties."""

from __future__ import annotations

from vertical_lightning.distributed.transport.frame import PAYLOAD, Kind, as_tensor
from vertical_lightning.distributed.transport.peer import Peer


class AlignmentChannel:
    """A `psi.channel.Channel` to a party in another process; the peer closes it."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer

    def send(self, frame: bytes) -> None:
        """Hand a frame over."""
        self._peer.send(Kind.ALIGNMENT, as_tensor(frame))

    def receive(self) -> bytes:
        """Wait for a frame."""
        _, frame = self._peer.receive(Kind.ALIGNMENT, "the next message of the alignment", PAYLOAD)
        return frame.numpy().tobytes()

    def close(self) -> None:
        """Leave it to the peer."""
