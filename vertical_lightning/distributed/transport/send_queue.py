"""Messages that wait to be sent."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator

MOST = 64
"""Frames that may wait before `put` waits too."""


class SendQueue:
    """Frames on their way out; gRPC takes them in a thread of its own.

    Attributes:
        ended: Set once the stream is over at both ends.

    >>> send_queue = SendQueue(b"hello")
    >>> send_queue.put(b"goodbye", timeout=1.0)
    >>> send_queue.close()
    True
    >>> list(send_queue)
    [b'hello', b'goodbye']
    """

    def __init__(self, *first: bytes) -> None:
        self.ended = threading.Event()
        self._waiting = deque(first)
        self._changed = threading.Condition()
        self._closed: str | None = None

    def put(self, message: bytes, timeout: float) -> None:
        """Add a message as soon as there is room."""
        with self._changed:
            room = self._changed.wait_for(lambda: self._closed or len(self._waiting) < MOST, timeout)
            if self._closed:
                raise ConnectionError(self._closed)
            if not room:
                raise ConnectionError(f"the peer has taken nothing for {timeout:.0f} s")
            self._waiting.append(message)
            self._changed.notify_all()

    def close(self) -> bool:
        """Accept no more messages; those in the queue are still sent. Return whether the stream may still take them."""
        with self._changed:
            self._closed = self._closed or "the connection has been closed"
            self._changed.notify_all()
        return not self.ended.is_set()

    def end(self, why: str) -> None:
        """End the queue: the stream takes no more messages."""
        with self._changed:
            self._closed = self._closed or why
            self._waiting.clear()
            self._changed.notify_all()
        self.ended.set()

    def __iter__(self) -> Iterator[bytes]:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._closed)
                if not self._waiting:
                    return
                message = self._waiting.popleft()
                self._changed.notify_all()
            yield message
