"""One end of a gRPC stream, the same at the client and at the server."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import numpy as np
import torch
from torch import Tensor

from vertical_lightning.distributed.transport.send_queue import SendQueue


class GrpcLink:
    """A party's end of its stream to one peer.

    Args:
        peer: Who is at the other end.
        send_queue: Where gRPC takes frames from.
        incoming: Where gRPC puts frames.
        timeout: Seconds that the peer may take nothing.
        leave: Gives the connection back, flushed or not.
    """

    def __init__(
        self, peer: str, send_queue: SendQueue, incoming: Iterator[bytes], timeout: float, leave: Callable[[], None]
    ) -> None:
        self._peer, self._send_queue, self._incoming, self._timeout, self._leave = peer, send_queue, incoming, timeout, leave
        self._reading = threading.Lock()

    def send(self, frame: Tensor) -> None:
        """Hand a frame over."""
        self._send_queue.put(frame.numpy().tobytes(), self._timeout)

    def receive(self) -> Tensor:
        """Wait for a frame."""
        message = self._next()
        frame = torch.empty(len(message), dtype=torch.uint8)
        np.copyto(frame.numpy(), np.frombuffer(message, np.uint8))
        return frame

    def close(self) -> None:
        """Let what was sent arrive, then let go."""
        if self._send_queue.close():
            # While anything unread lies here gRPC does not tell that the stream has ended.
            threading.Thread(target=self._drain, daemon=True).start()
            self._send_queue.ended.wait(self._timeout)
        self._leave()

    def abandon(self) -> None:
        """Let go at once."""
        self._send_queue.end("this party has left")
        self._leave()

    def _next(self) -> bytes:
        with self._reading:
            try:
                return next(self._incoming)
            except StopIteration:
                self._send_queue.close()
                raise ConnectionError(f"{self._peer} has ended the connection, or is gone") from None
            except grpc.RpcError as error:
                self._send_queue.close()
                raise ConnectionError(f"the connection to {self._peer} broke ({reason(error)})") from error

    def _drain(self) -> None:
        try:
            while not self._send_queue.ended.is_set():
                self._next()
        except ConnectionError:
            pass


def reason(error: Any) -> str:
    """Say in a few words why a stream broke; a server's end is not told.

    >>> reason(grpc.RpcError())
    'the peer is gone'
    """
    details = error.details() if isinstance(error, grpc.Call) else ""
    return "".join(sign for sign in details or "the peer is gone" if sign.isprintable())[:300]
