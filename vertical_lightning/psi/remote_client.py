"""The client's end of an intersection whose server runs in another process."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from vertical_lightning.psi.channel import Channel
from vertical_lightning.psi.client import Client
from vertical_lightning.psi.engine import Engine
from vertical_lightning.psi.frames import Line
from vertical_lightning.psi.handshake import Purpose
from vertical_lightning.psi.local_client import Ids
from vertical_lightning.psi.protocol import ask, tell
from vertical_lightning.psi.protocol_error import aligning_with


class RemoteClient:
    """A conversation over a channel.

    Args:
        client: The own name and ids.
        server: The other party's name.
        channel: The way to it.
        engine: The cryptography.
        parties: How many parties take part in the whole run.
        purpose: Whether to find the common rows, or only how many there are.
        most: Ids that the other party may bring.
    """

    def __init__(
        self, client: Ids, server: str, channel: Channel, engine: Engine, parties: int, purpose: Purpose, most: int
    ) -> None:
        self._server, self._links = server, (f"{client[0]}->{server}", f"{server}->{client[0]}")
        self._line = Line(channel)
        self._client = Client(client[1], engine, parties, purpose, most)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        """End the conversation, on this end."""
        self._line.close()

    @property
    def bytes(self) -> dict[str, int]:
        """Bytes sent so far per direction, frames' headers included, keyed `"sender->receiver"`."""
        return dict(zip(self._links, (self._line.sent, self._line.received), strict=True))

    @property
    def announced(self) -> int:
        """How many ids the server said that it brings."""
        return self._client.announced

    def count(self) -> int:
        """Return how many of the client's ids the server holds; nobody learns which."""
        with aligning_with(self._server):
            return self._client.count(*ask(self._client, self._line))

    def match(self) -> list[int]:
        """Run until the client knows which of its rows the server holds; the server knows none yet."""
        with aligning_with(self._server):
            return self._client.match(*ask(self._client, self._line))

    def finish(self, rows: Sequence[int]) -> list[int]:
        """Reveal the client's given rows and prove the result; the server's rows stay there."""
        with aligning_with(self._server):
            tell(self._client, self._line, rows)
        return []
