"""The end of an intersection that finds the common rows: the label holder, once for every other party."""

from __future__ import annotations

import secrets
import struct
from collections.abc import Sequence

from vertical_lightning.psi.engine import Engine
from vertical_lightning.psi.equality_proof import TAG, EqualityProof
from vertical_lightning.psi.handshake import LIMIT, Hello, Purpose
from vertical_lightning.psi.protocol_error import OrderError
from vertical_lightning.psi.transcript import Transcript


class Client:
    """Holds one party's own ids and one fresh key; everything else it knows came as a message.

    Call the methods in the order in which they stand here. Each takes what the peer sent and returns what to send.

    Args:
        ids: This party's own ids, from `identifiers.canonical`.
        engine: The cryptography; both parties use the same one.
        parties: How many parties take part in the whole run.
        purpose: Whether to find the common rows, or only how many there are.
        most: Ids that the peer may bring.

    Example:
        >>> from vertical_lightning.psi.openmined import OpenMined
        >>> from vertical_lightning.psi.server import Server
        >>> client, server = Client([b"ann", b"bob"], OpenMined()), Server([b"eve", b"bob"], OpenMined())
        >>> request = client.request(server.hello(client.hello()))
        >>> client.match(*server.respond(request))
        [1]
    """

    def __init__(
        self, ids: Sequence[bytes], engine: Engine, parties: int = 2, purpose: Purpose = "align", most: int = LIMIT
    ) -> None:
        """Draw the key and the order in which the ids will be sent."""
        self._ids = ids
        self._engine = engine
        self._key = engine.key()
        self._hello = Hello(engine.name, len(ids), parties, purpose)
        self._transcript = Transcript()
        # The server sees the request's order. Shuffled by the system's generator, so that no seed can tell the
        # order and no seeded generator is moved.
        self._order = list(range(len(ids)))
        secrets.SystemRandom().shuffle(self._order)
        self._peer_ids, self._most = 0, most
        self._matches: dict[int, int] = {}
        self._aligned: list[int] = []
        self._proof: EqualityProof | None = None

    def hello(self) -> bytes:
        """Say what this party runs."""
        message = self._hello.pack()
        self._transcript.note("client hello", message)
        return message

    def request(self, hello: bytes) -> bytes:
        """Check the server's hello; send the own ids under the own key, in random order."""
        self._transcript.note("server hello", hello)
        peer = Hello.unpack(hello)
        self._hello.check(peer, self._most)
        self._peer_ids = peer.ids
        points = self._key.encrypt([self._ids[row] for row in self._order])
        message = self._engine.pack("request", points)
        self._transcript.note("request", message)
        return message

    @property
    def announced(self) -> int:
        """How many ids the server said that it brings; known after `request`."""
        return self._peer_ids

    def expected(self, step: str) -> int:
        """Return the most bytes that a message of the server may have."""
        return {
            "setup": self._engine.size("setup", self._peer_ids),
            "response": self._engine.size("response", len(self._ids)),
            "answer": self._engine.size("request", 1) + TAG,
        }[step]

    def count(self, setup: bytes, response: bytes) -> int:
        """Count the own rows that the server also holds; the server has hidden which they are."""
        return len(set.intersection(*map(set, self._under_their_key(setup, response))))

    def match(self, setup: bytes, response: bytes) -> list[int]:
        """Find the own rows that the server also holds, ascending. Nothing is sent: the caller decides what to reveal.

        Raises:
            OrderError: The run is to count only.
        """
        if self._hello.purpose != "align":
            raise OrderError("match() was called in a run that only counts. Start a run that aligns.")
        theirs, ours = self._under_their_key(setup, response)
        position = {point: index for index, point in enumerate(theirs)}
        numbered = zip(self._order, ours, strict=True)
        self._matches = {row: position[point] for row, point in numbered if point in position}
        return sorted(self._matches)

    def _under_their_key(self, setup: bytes, response: bytes) -> tuple[list[bytes], list[bytes]]:
        """Read the server's points, and the own ones, which came back under both keys, with the own key stripped."""
        self._transcript.note("setup", setup)
        self._transcript.note("response", response)
        theirs = self._engine.unpack("setup", setup, self._peer_ids)
        return theirs, self._key.strip(self._engine.unpack("response", response, len(self._ids)))

    def reveal(self, rows: Sequence[int]) -> bytes:
        """Tell the server which of *its* rows are common, as ascending positions in its own setup: no id, no own row.

        Args:
            rows: Own rows that every party holds; all must be matches.
        """
        if not rows or not self._matches.keys() >= set(rows):
            raise ValueError(f"{len(rows):,} rows were given to reveal; it needs at least one, each returned by match().")
        positions = sorted(self._matches[row] for row in rows)
        message = struct.pack(f">{len(positions)}I", *positions)
        self._transcript.note("reveal", message)
        self._aligned = sorted(rows, key=self._ids.__getitem__)
        return message

    def prove(self) -> bytes:
        """Open the closing proof: the digest of the aligned ids under a fresh key."""
        self._proof = EqualityProof(self._engine, self._transcript.digest(), [self._ids[row] for row in self._aligned])
        message = self._proof.point()
        self._transcript.note("proof", message)
        return message

    def conclude(self, answer: bytes) -> bytes:
        """Check the server's half of the proof and send the own one."""
        self._transcript.note("answer", answer)
        if self._proof is None:
            raise OrderError("conclude() was called before prove(). Start a new run.")
        point, tag = answer[:-TAG], answer[-TAG:]
        self._proof.check("server", point, tag)
        message = self._proof.tag("client", point)
        self._transcript.note("verdict", message)
        return message
