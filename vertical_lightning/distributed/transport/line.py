"""Frames to and from one other party: in order, counted, with signs of life between them, until one of the two ends it."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from queue import Empty, Queue
from threading import Event, Lock, Thread

import torch
from torch import Tensor

from vertical_lightning.distributed.transport.awake import clock
from vertical_lightning.distributed.transport.backend import Link
from vertical_lightning.distributed.transport.failure import PeerLeftError, PeerLostError, RefusedError, WireError
from vertical_lightning.distributed.transport.frame import HEADER, Header, Kind, as_tensor, pieces
from vertical_lightning.distributed.transport.last_words import end_in

INBOX = 256
"""Frames that may lie unread, 256 MiB at most: a peer that sends more waits."""

SOON = 5.0
"""Seconds after which the user is told for whom this party waits."""


class Line:
    """One party's end of the conversation with one peer.

    A thread reads, so that a peer's end or error is known at once; another tells the peer that this party lives, however long
    it computes.

    Args:
        party: This party.
        name: The other one.
        link: The way to it.
        timeout: Seconds without a sign of life after which the other is lost.
        patience: Seconds to wait for a message of one that lives.
        members: All parties, the only ones of whose errors the other may tell.

    Attributes:
        framed: Bytes by (`sent` or `received`, kind of message), headers included.
        payload: The same without headers.
        waited: Seconds spent waiting for messages.
        moved: Seconds spent sending.
        others: Further lines whose loss ends the run, also while this one is waited for.
    """

    def __init__(
        self,
        party: str,
        name: str,
        link: Link,
        timeout: float = 10.0,
        patience: float = 600.0,
        members: Collection[str] = (),
    ) -> None:
        self.party, self.name, self._members = party, name, {*members, name, party}
        self.framed: Counter[tuple[str, Kind]] = Counter()
        self.payload: Counter[tuple[str, Kind]] = Counter()
        self.waited = self.moved = 0.0
        self.others: Sequence[Line] = ()
        self._link, self._timeout, self._patience = link, timeout, patience
        self._inbox: Queue[tuple[Header, Tensor] | WireError] = Queue(INBOX)
        self._sending = Lock()
        self._numbers = {"sent": 0, "received": 0}
        self._clock = clock()
        self._heard = self._clock.seconds
        self._end: WireError | None = None
        self._ended, self._left = Event(), Event()
        Thread(target=self._read, name=f"{name}: reading", daemon=True).start()
        Thread(target=self._beat, name=f"{name}: living", daemon=True).start()

    def send(self, kind: Kind, message: Tensor, tag: int = 0, like: Tensor | None = None) -> None:
        """Send a message, which is `like` that tensor if it is one.

        Raises:
            WireError: The peer is gone.
        """
        started = time.perf_counter()
        dtype, shape = (torch.uint8, ()) if like is None else (like.dtype, tuple(like.shape))
        try:
            with self._sending:
                for piece in pieces(message):
                    header = Header(kind, self._numbers["sent"], tag, len(piece), len(message), dtype, shape)
                    self._count("sent", header)
                    self._link.send(torch.cat([header.pack(), piece]))
        except Exception as error:
            self._ended.wait(1.0)  # the reader may know why
            raise self._end or self._lost(f"takes no messages any more ({type(error).__name__})") from error
        self.moved += time.perf_counter() - started

    def next_frame(self, what: str) -> tuple[Header, Tensor]:
        """Return the next frame, or raise what ended the conversation."""
        started, told = time.perf_counter(), False
        while True:
            try:
                message = self._inbox.get(timeout=min(1.0, self._timeout / 4))
                break
            except Empty:
                waited = time.perf_counter() - started
                for peer in (self, *self.others):
                    peer.check_alive()
                if waited > self._patience:
                    lives = f"lives, but has not sent {what} for {waited:.0f} s (execution.patience={self._patience:g})"
                    raise self._lost(lives) from None
                if waited > SOON and not told:
                    print(f"{self.party} waits for {self.name}: {what}", flush=True)
                    told = True
        self.waited += time.perf_counter() - started
        if isinstance(message, WireError):
            self._inbox.put(message)  # ended it stays
            raise message
        return message

    def refused(self, why: str) -> RefusedError:
        """Make the error that says what the peer sent."""
        return RefusedError.of(self.name, self.party, why)

    def check_alive(self) -> None:
        """Make sure that the peer lives, or has left in good order.

        Raises:
            WireError: It is lost, or stopped with an error.
        """
        if isinstance(self._end, PeerLeftError):
            return
        if self._end is not None:
            raise self._end
        silent = self._clock.seconds - self._heard
        if silent > self._timeout and not self._inbox.full():  # then it is this party that does not listen
            raise self._lost(f"has shown no sign of life for {silent:.0f} s (execution.timeout={self._timeout:g})")

    def abort(self, party: str, error: str) -> None:
        """Tell the peer that the run is over, and whose error ended it: its class, no text that could hold data."""
        self._say(Kind.ABORT, {"party": party, "error": error})

    def say_goodbye(self) -> None:
        """Tell the peer that this party has nothing more to do."""
        self._say(Kind.GOODBYE, {})

    def await_goodbye(self) -> None:
        """Wait until the peer says goodbye too, as long as it lives, so that it does not take this party for lost."""
        ends = time.monotonic() + self._patience
        while not self._ended.wait(min(1.0, self._timeout / 4)) and time.monotonic() < ends:
            try:
                self.check_alive()
            except WireError:
                return

    def close(self) -> None:
        """Let go."""
        self._left.set()
        self._link.close()

    def _say(self, kind: Kind, said: Mapping[str, str]) -> None:
        """Send a last message, if the peer still takes it."""
        try:
            self.send(kind, as_tensor(json.dumps(said).encode()))
        except WireError:
            return

    def _lost(self, how: str) -> PeerLostError:
        return PeerLostError(self.name, f"{self.name} is lost: it {how}.")

    def _read(self) -> None:
        """Read frames until the conversation ends, and put messages into the inbox."""
        while self._end is None:
            try:
                frame = self._link.receive()
            except Exception as error:
                return self._finish(self._lost(f"has gone without a word ({type(error).__name__})"))
            try:
                header = Header.unpack(frame)
            except ValueError as error:
                return self._finish(self.refused(str(error)))
            self._heard = self._clock.seconds
            # Ctrl-C may have come between two frames, or in the middle of one, before an abort.
            if header.number != self._numbers["received"] and header.kind != Kind.ABORT:
                return self._finish(self.refused(f"frame {header.number}, where {self._numbers['received']} was due"))
            self._count("received", header)
            if header.kind not in (Kind.ABORT, Kind.GOODBYE, Kind.BEAT):
                self._inbox.put((header, frame))
                continue
            message = frame[HEADER : HEADER + header.size].numpy().tobytes()
            if end := end_in(header.kind, message, self.name, self.party, self._members):
                return self._finish(end)
        return None

    def _finish(self, end: WireError) -> None:
        self._end = end
        self._inbox.put(end)
        self._ended.set()

    def _beat(self) -> None:
        """Send signs of life until the conversation ends."""
        while not (self._left.wait(self._timeout / 4) or self._ended.is_set()):
            self._say(Kind.BEAT, {})

    def _count(self, direction: str, header: Header) -> None:
        self._numbers[direction] += 1
        self.framed[direction, header.kind] += HEADER + header.size
        self.payload[direction, header.kind] += header.size
