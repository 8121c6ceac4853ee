"""The end of an intersection that answers: a party that learns only which of its rows every party holds."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from itertools import pairwise

from vertical_lightning.psi.engine import Engine
from vertical_lightning.psi.equality_proof import TAG, EqualityProof
from vertical_lightning.psi.handshake import LIMIT, Hello, Purpose
from vertical_lightning.psi.protocol_error import OrderError, PositionsError
from vertical_lightning.psi.transcript import Transcript


class Server:
    """Holds one party's own ids and one fresh key; everything else it knows came as a message.

    Call the methods in the order in which they stand here. Each takes what the peer sent and returns what to send.

    Args:
        ids: This party's own ids, from `identifiers.canonical`.
        engine: The cryptography; both parties use the same one.
        parties: How many parties take part in the whole run.
        purpose: Whether the client finds the common rows, or only how many there are.
        most: Ids that the peer may bring.

    Example:
        >>> from vertical_lightning.psi.client import Client
        >>> from vertical_lightning.psi.openmined import OpenMined
        >>> client, server = Client([b"ann", b"bob"], OpenMined()), Server([b"eve", b"bob"], OpenMined())
        >>> rows = client.match(*server.respond(client.request(server.hello(client.hello()))))
        >>> server.accept(client.reveal(rows))
        >>> server.conclude(client.conclude(server.answer(client.prove())))
        [1]
    """

    def __init__(
        self, ids: Sequence[bytes], engine: Engine, parties: int = 2, purpose: Purpose = "align", most: int = LIMIT
    ) -> None:
        """Draw the key."""
        self._ids = ids
        self._engine = engine
        self._key = engine.key()
        self._hello = Hello(engine.name, len(ids), parties, purpose)
        self._transcript = Transcript()
        self._peer_ids, self._most = 0, most
        self._setup = b""
        self._rows: list[int] = []  # the row behind each position of the setup
        self._aligned: list[int] = []
        self._proof: EqualityProof | None = None
        self._client_point = b""

    def hello(self, hello: bytes) -> bytes:
        """Check what the client runs, and say what this party runs."""
        self._transcript.note("client hello", hello)
        peer = Hello.unpack(hello)
        self._hello.check(peer, self._most)
        self._peer_ids = peer.ids
        message = self._hello.pack()
        self._transcript.note("server hello", message)
        return message

    @property
    def announced(self) -> int:
        """How many ids the client said that it brings; known after `hello`."""
        return self._peer_ids

    def expected(self, step: str) -> int:
        """Return the most bytes that a message of the client may have."""
        return {
            "request": self._engine.size("request", self._peer_ids),
            "reveal": 4 * len(self._ids),
            "proof": self._engine.size("request", 1),
            "verdict": TAG,
        }[step]

    def prepare(self) -> None:
        """Encrypt this party's ids under its key and sort them; `respond` does it unless it was done while waiting."""
        points = self._key.encrypt(self._ids)
        # Sorting by points that look random hides the order of rows; keeping the rows tells later which ones matched.
        self._rows = sorted(range(len(points)), key=points.__getitem__)
        self._setup = self._engine.pack("setup", [points[row] for row in self._rows])

    def respond(self, request: bytes) -> tuple[bytes, bytes]:
        """Send the setup, and the client's points under both keys: in the client's order, or sorted if it may only count."""
        self._transcript.note("request", request)
        theirs = self._engine.unpack("request", request, self._peer_ids)
        if not self._setup:
            self.prepare()
        both = self._key.reencrypt(theirs)
        response = self._engine.pack("response", both if self._hello.purpose == "align" else sorted(both))
        self._transcript.note("setup", self._setup)
        self._transcript.note("response", response)
        return self._setup, response

    def accept(self, reveal: bytes) -> None:
        """Learn which positions of the own setup are common to all parties."""
        self._transcript.note("reveal", reveal)
        count, rest = divmod(len(reveal), 4)
        if rest or not 0 < count <= len(self._rows):
            raise PositionsError(
                f"The reveal has {len(reveal):,} bytes; it takes 4 a position, for 1 to {len(self._rows):,} positions."
            )
        positions = struct.unpack(f">{count}I", reveal)
        if positions[-1] >= len(self._rows) or any(left >= right for left, right in pairwise(positions)):
            raise PositionsError(
                f"The {count:,} revealed positions are not strictly ascending and below {len(self._rows):,}, "
                "the size of the setup."
            )
        self._aligned = sorted((self._rows[position] for position in positions), key=self._ids.__getitem__)

    def answer(self, proof: bytes) -> bytes:
        """Send the own half of the closing proof: the own digest under a fresh key, and a tag of the client's."""
        said = self._transcript.digest()
        self._transcript.note("proof", proof)
        self._proof = EqualityProof(self._engine, said, [self._ids[row] for row in self._aligned])
        self._client_point = proof
        message = self._proof.point() + self._proof.tag("server", proof)
        self._transcript.note("answer", message)
        return message

    def conclude(self, verdict: bytes) -> list[int]:
        """Check the client's half of the proof and return the own rows of the common entities, in the common order.

        Raises:
            ProofError: The client does not hold the same ids, or a message was changed: there is no result.
        """
        self._transcript.note("verdict", verdict)
        if self._proof is None:
            raise OrderError("conclude() was called before answer(). Start a new run.")
        self._proof.check("client", self._client_point, verdict)
        return self._aligned
