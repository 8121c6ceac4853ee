"""One client and one server in one process: carries their messages, counts the bytes, looks into none of them."""

from __future__ import annotations

from collections.abc import Sequence

from vertical_lightning.psi.client import Client
from vertical_lightning.psi.engine import Engine
from vertical_lightning.psi.server import Server


class Pair:
    """The run of two parties in a simulation; between real parties a transport takes this class's place.

    Args:
        client: The client's name and canonical ids.
        server: The server's name and canonical ids.
        engine: The cryptography. Client and server each draw a fresh key from it.
        parties: How many parties take part in the whole run.

    Attributes:
        bytes: Bytes sent so far per direction, keyed `"sender->receiver"`.

    Example:
        >>> from vertical_lightning.psi.openmined import OpenMined
        >>> pair = Pair(("bank", [b"ann", b"bob"]), ("shop", [b"bob"]), OpenMined(), parties=2)
        >>> pair.match(), pair.finish([1]), pair.bytes
        ([1], [0], {'bank->shop': 179, 'shop->bank': 210})
    """

    def __init__(
        self, client: tuple[str, Sequence[bytes]], server: tuple[str, Sequence[bytes]], engine: Engine, parties: int
    ) -> None:
        """Set up both ends."""
        self._there = f"{client[0]}->{server[0]}"
        self._back = f"{server[0]}->{client[0]}"
        self.bytes = {self._there: 0, self._back: 0}
        self._client = Client(client[1], engine, parties)
        self._server = Server(server[1], engine, parties)

    def match(self) -> list[int]:
        """Run until the client knows which of its rows the server holds; the server knows none yet."""
        hello = self._forth(self._client.hello())
        request = self._forth(self._client.request(self._reply(self._server.hello(hello))))
        setup, response = self._server.respond(request)
        return self._client.match(self._reply(setup), self._reply(response))

    def finish(self, rows: Sequence[int]) -> list[int]:
        """Reveal the client's given rows and prove the result; return the server's rows, in the common order."""
        self._server.accept(self._forth(self._client.reveal(rows)))
        answer = self._reply(self._server.answer(self._forth(self._client.prove())))
        return self._server.conclude(self._forth(self._client.conclude(answer)))

    def _forth(self, message: bytes) -> bytes:
        self.bytes[self._there] += len(message)
        return message

    def _reply(self, message: bytes) -> bytes:
        self.bytes[self._back] += len(message)
        return message
