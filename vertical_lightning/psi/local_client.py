"""One client and one server in one process, each talking to the other over a line and in no other way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from threading import Thread
from typing import Self, TypeVar

from vertical_lightning.psi.channel import LocalChannel
from vertical_lightning.psi.client import Client
from vertical_lightning.psi.engine import Engine
from vertical_lightning.psi.frames import Line
from vertical_lightning.psi.handshake import Purpose
from vertical_lightning.psi.protocol import ask, learn, respond, tell
from vertical_lightning.psi.protocol_error import ClosedError
from vertical_lightning.psi.server import Server

Answer = TypeVar("Answer")

Ids = tuple[str, Sequence[bytes]]
"""A party's name and its canonical ids."""


class LocalClient:
    """The run of two parties in a simulation; the server's half runs in a thread, the client's where it is called.

    Args:
        client: The client's name and ids.
        server: The server's name and ids.
        engine: The cryptography. Client and server each draw a fresh key from it.
        parties: How many parties take part in the whole run.
        purpose: Whether to find the common rows, or only how many there are.

    Example:
        >>> from vertical_lightning.psi.openmined import OpenMined
        >>> with LocalClient(("bank", [b"ann", b"bob"]), ("shop", [b"bob"]), OpenMined(), parties=2) as pair:
        ...     pair.match(), pair.finish([1]), pair.bytes
        ([1], [0], {'bank->shop': 265, 'shop->bank': 279})
    """

    def __init__(self, client: Ids, server: Ids, engine: Engine, parties: int, purpose: Purpose = "align") -> None:
        """Set up both ends."""
        self._links = f"{client[0]}->{server[0]}", f"{server[0]}->{client[0]}"
        self._here, self._there = map(Line, LocalChannel.pair())
        self._client = Client(client[1], engine, parties, purpose)
        self._server = Server(server[1], engine, parties, purpose)
        self._counts = purpose == "count"
        self._learned: Future[list[int]] = Future()

    def __enter__(self) -> Self:
        """Start the server; a daemon, so that a run which was broken off keeps no process alive."""
        Thread(target=self._serve, name=self._links[1], daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        """End the run; a server that still waits stops waiting."""
        self._here.close()

    @property
    def bytes(self) -> dict[str, int]:
        """Bytes sent so far per direction, frames' headers included, keyed `"sender->receiver"`."""
        return dict(zip(self._links, (self._here.sent, self._there.sent), strict=True))

    @property
    def announced(self) -> int:
        """How many ids the server said that it brings."""
        return self._client.announced

    def count(self) -> int:
        """Return how many of the client's ids the server holds; nobody learns which."""
        return self._client.count(*self._or_its_cause(lambda: ask(self._client, self._here)))

    def match(self) -> list[int]:
        """Run until the client knows which of its rows the server holds; the server knows none yet."""
        return self._client.match(*self._or_its_cause(lambda: ask(self._client, self._here)))

    def finish(self, rows: Sequence[int]) -> list[int]:
        """Reveal the client's given rows and prove the result; return the server's rows, in the common order."""
        self._or_its_cause(lambda: tell(self._client, self._here, rows))
        return self._learned.result()

    def _or_its_cause(self, say: Callable[[], Answer]) -> Answer:
        """Talk; if the server has ended the run, raise what made it do so."""
        try:
            return say()
        except ClosedError:
            self._learned.result()
            raise

    def _serve(self) -> None:
        try:
            respond(self._server, self._there)
            self._learned.set_result([] if self._counts else learn(self._server, self._there))
        except BaseException as error:  # whatever it is, the client's thread must hear of it
            self._learned.set_exception(error)
            self._there.close()
