"""Links within one process, for tests of what stands on them."""

from __future__ import annotations

from queue import Queue

from torch import Tensor

from vertical_lightning.distributed.transport.backend import Rendezvous
from vertical_lightning.distributed.transport.peer import Peer

MEMBERS = ("alice", "bob", "carol")


class Pipe:
    """A `transport.link.Link` made of two queues; `received` and `sent` keep what passed."""

    def __init__(self, out: Queue[Tensor | None], into: Queue[Tensor | None]) -> None:
        self._out, self._into = out, into
        self.sent: list[Tensor] = []

    @classmethod
    def pair(cls) -> tuple[Pipe, Pipe]:
        there: Queue[Tensor | None] = Queue()
        back: Queue[Tensor | None] = Queue()
        return cls(there, back), cls(back, there)

    def send(self, frame: Tensor) -> None:
        self.sent.append(frame.clone())
        self._out.put(frame.clone())

    def receive(self) -> Tensor:
        frame = self._into.get()
        if frame is None:
            raise EOFError
        return frame

    def close(self) -> None:
        """Nothing: the other end may still read."""

    def cut(self) -> None:
        """End without a word."""
        self._out.put(None)


def peers(timeout: float = 30.0, patience: float = 60.0) -> tuple[Peer, Peer]:
    """Alice's way to bob and bob's to alice."""
    here, there = Pipe.pair()
    return Peer("alice", "bob", here, timeout, patience, MEMBERS), Peer("bob", "alice", there, timeout, patience, MEMBERS)


class Pipes:
    """A `transport.link.Engine` of pipes between alice and bob, for sessions in threads of one process."""

    timeout, patience = 30.0, 20.0

    def __init__(self) -> None:
        self._ends = dict(zip(("alice", "bob"), Pipe.pair(), strict=True))

    def connect(self, meeting: Rendezvous) -> dict[str, Pipe]:
        (other,) = {"alice", "bob"} - {meeting.party}
        return {other: self._ends[meeting.party]}
