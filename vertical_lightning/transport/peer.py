"""All that passes between this party and one other: messages out of frames, signs of life, bytes and seconds."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from queue import Empty, Queue
from threading import Event, Lock, Thread
from typing import Any

import torch
from torch import Tensor

from vertical_lightning.transport.failure import PeerLeftError, PeerLostError, RefusedError, WireError, abort_of
from vertical_lightning.transport.frame import HEADER, Header, Kind, as_tensor, pieces
from vertical_lightning.transport.link import Link

INBOX = 256
"""Frames that may lie unread, 256 MiB at most: a peer that sends more waits."""

SOON = 5.0
"""Seconds after which the user is told for whom this party waits."""

CONTROL = 2**20
"""Most bytes of a control message."""


class Peer:
    """Sends and receives messages.

    A thread reads, so that a peer's end or error is known at once; another tells the peer that this party lives, however long
    it computes.

    Args:
        party: This party.
        name: The other one.
        link: The way to it.
        timeout: Seconds without a sign of life after which the other is lost.
        patience: Seconds to wait for a message of one that lives.

    Attributes:
        framed: Bytes by (`sent` or `received`, kind of message), headers included.
        payload: The same without headers.
        waited: Seconds spent waiting for messages.
        moved: Seconds spent sending.
        others: Further peers whose loss ends the run, also while this one is waited for.
    """

    def __init__(self, party: str, name: str, link: Link, timeout: float = 10.0, patience: float = 600.0) -> None:
        self.party, self.name = party, name
        self.framed: Counter[tuple[str, Kind]] = Counter()
        self.payload: Counter[tuple[str, Kind]] = Counter()
        self.waited = self.moved = 0.0
        self.others: Sequence[Peer] = ()
        self._link, self._timeout, self._patience = link, timeout, patience
        self._inbox: Queue[tuple[Header, Tensor] | WireError] = Queue(INBOX)
        self._sending = Lock()
        self._numbers = {"sent": 0, "received": 0}
        self._heard = time.monotonic()
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

    def receive(self, kind: Kind, what: str, most: int) -> tuple[Header, Tensor]:
        """Wait for a message of at most so many bytes.

        Args:
            kind: What is due.
            what: The same in words.
            most: Bytes.

        Raises:
            RefusedError: Something else came.
            WireError: The peer is gone, or stopped with an error of its own.
        """
        first, frame = self._next(what)
        if first.kind != kind or first.total > most:
            came = f"a message {first.kind.name} of {first.total:,} bytes"
            raise self.refused(f"{came} came where {what} was due, of {kind.name} and at most {most:,} bytes")
        parts = [frame[HEADER : HEADER + first.size]]
        missing = first.total - first.size
        while missing > 0:
            later, frame = self._next(what)
            if (later.kind, later.tag, later.total) != (first.kind, first.tag, first.total) or not 0 < later.size <= missing:
                raise self.refused(f"the parts of {what} do not fit together")
            parts.append(frame[HEADER : HEADER + later.size])
            missing -= later.size
        return first, parts[0] if len(parts) == 1 else torch.cat(parts)

    def tell(self, **said: Any) -> None:
        """Send a control message."""
        self.send(Kind.CONTROL, as_tensor(json.dumps(said).encode()))

    def hear(self, what: str) -> dict[str, Any]:
        """Wait for a control message."""
        _, message = self.receive(Kind.CONTROL, what, CONTROL)
        try:
            said = json.loads(message.numpy().tobytes())
        except ValueError:
            said = None
        if not isinstance(said, dict):
            raise self.refused(f"{what} is no message that can be read")
        return said

    def refused(self, why: str) -> RefusedError:
        """Make the error that says what the peer sent."""
        return RefusedError(self.name, f"{self.party} refuses what {self.name} sent: {why}.")

    def check_alive(self) -> None:
        """Make sure that the peer lives, or has left in good order.

        Raises:
            WireError: It is lost, or stopped with an error.
        """
        if isinstance(self._end, PeerLeftError):
            return
        if self._end is not None:
            raise self._end
        silent = time.monotonic() - self._heard
        if silent > self._timeout:
            raise self._lost(f"has shown no sign of life for {silent:.0f} s (wire.timeout={self._timeout:g})")

    def abort(self, party: str, error: str) -> None:
        """Tell the peer that the run is over, and whose error ended it: its class, no text that could hold data."""
        self._say(Kind.ABORT, {"party": party, "error": error})

    def leave(self) -> None:
        """End in good order: say goodbye, and wait until the peer has said it too."""
        self._say(Kind.GOODBYE, {})
        self._ended.wait(self._timeout)

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

    def _next(self, what: str) -> tuple[Header, Tensor]:
        """Return the next frame, or raise what ended the conversation."""
        started, told = time.perf_counter(), False
        while True:
            try:
                found = self._inbox.get(timeout=min(1.0, self._timeout / 4))
                break
            except Empty:
                waited = time.perf_counter() - started
                for peer in (self, *self.others):
                    peer.check_alive()
                if waited > self._patience:
                    lives = f"lives, but has not sent {what} for {waited:.0f} s (wire.patience={self._patience:g})"
                    raise self._lost(lives) from None
                if waited > SOON and not told:
                    print(f"{self.party} waits for {self.name}: {what}", flush=True)
                    told = True
        self.waited += time.perf_counter() - started
        if isinstance(found, WireError):
            self._inbox.put(found)  # ended it stays
            raise found
        return found

    def _lost(self, how: str) -> PeerLostError:
        return PeerLostError(self.name, f"{self.name} is lost: it {how}.")

    def _read(self) -> None:
        """Sort what comes, until the end."""
        while self._end is None:
            try:
                frame = self._link.receive()
            except Exception as error:
                return self._finish(self._lost(f"has gone without a word ({type(error).__name__})"))
            try:
                header = Header.unpack(frame)
            except ValueError as error:
                return self._finish(self.refused(str(error)))
            self._heard = time.monotonic()
            # Ctrl-C may have come between two frames, or in the middle of one, before an abort.
            if header.number != self._numbers["received"] and header.kind != Kind.ABORT:
                return self._finish(self.refused(f"frame {header.number}, where {self._numbers['received']} was due"))
            self._count("received", header)
            if header.kind in (Kind.ABORT, Kind.GOODBYE):
                said = frame[HEADER:].numpy().tobytes()
                return self._finish(PeerLeftError(self.name) if header.kind == Kind.GOODBYE else abort_of(self.name, said))
            if header.kind != Kind.BEAT:
                self._inbox.put((header, frame))
        return None

    def _finish(self, end: WireError) -> None:
        self._end = end
        self._inbox.put(end)
        self._ended.set()

    def _beat(self) -> None:
        """Show signs of life."""
        while not (self._left.wait(self._timeout / 4) or self._ended.is_set()):
            self._say(Kind.BEAT, {})

    def _count(self, direction: str, header: Header) -> None:
        self._numbers[direction] += 1
        self.framed[direction, header.kind] += HEADER + header.size
        self.payload[direction, header.kind] += header.size
