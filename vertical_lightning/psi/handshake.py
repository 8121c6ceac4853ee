"""The first message between two parties: what each runs, and how many ids it brings."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Literal

from vertical_lightning.psi.identifiers import NORMALIZER
from vertical_lightning.psi.protocol_error import HandshakeError, NormalizerError

Purpose = Literal["align", "count"]
"""Find the common rows, or only how many there are."""

_FORM = struct.Struct(">4sHH16sHBQ")
_MARK = b"vPSI"
_PURPOSE = 26  # where the form has the purpose
HELLO = _FORM.size
"""Bytes of a hello."""

_PROTOCOL = 2  # raise it with every change of the messages or their order
_PURPOSES: tuple[Purpose, ...] = ("align", "count")
LIMIT = 2**31 // 35
"""Ids that a message can hold: a longer one would pass protobuf's limit of 2 GiB."""


@dataclass(frozen=True)
class Hello:
    """What one party says of itself before anything else is sent: 35 bytes.

    Two parties that write ids by different rules would find an empty intersection and believe it, so they compare the
    version of their rules first.

    Attributes:
        engine: Name of the cryptographic engine.
        ids: How many ids this party brings.
        parties: How many parties take part in the run, this one included.
        purpose: What the run is for.
        normalizer: Version of the rules that turn ids into bytes.
        protocol: Version of the messages and their order.

    Example:
        >>> Hello.unpack(Hello("openmined-p256", ids=3, parties=2).pack()).ids
        3
    """

    engine: str
    ids: int
    parties: int
    purpose: Purpose = "align"
    normalizer: int = NORMALIZER
    protocol: int = _PROTOCOL

    def pack(self) -> bytes:
        """Write the hello as a message."""
        engine = self.engine.encode("ascii")
        purpose = _PURPOSES.index(self.purpose)
        return _FORM.pack(_MARK, self.protocol, self.normalizer, engine, self.parties, purpose, self.ids)

    @classmethod
    def unpack(cls, message: bytes) -> Hello:
        """Read a hello.

        Raises:
            HandshakeError: The message is no hello of this protocol.
        """
        if len(message) != HELLO or message[:4] != _MARK or message[_PURPOSE] >= len(_PURPOSES):
            raise HandshakeError(
                f"The peer's first message ({len(message):,} bytes) is no hello of this protocol ({HELLO} bytes). "
                "Both parties must run vertical_lightning's intersection."
            )
        _, protocol, normalizer, engine, parties, purpose, ids = _FORM.unpack(message)
        name = engine.rstrip(b"\0").decode("ascii", "replace")
        return cls(name, ids, parties, _PURPOSES[purpose], normalizer, protocol)

    def check(self, peer: Hello, most: int = LIMIT) -> None:
        """Refuse a peer that runs something else, or announces more than `most` ids.

        Raises:
            NormalizerError: The peer turns ids into bytes by other rules.
            HandshakeError: Protocol, engine or number of parties differ, or the peer brings no ids, or too many.
        """
        if self.normalizer != peer.normalizer:
            raise NormalizerError(
                f"The peer writes ids by version {peer.normalizer} of the rules, this party by version "
                f"{self.normalizer}: equal ids could look different. Install the same release at both parties."
            )
        for what, own, other in (
            ("the messages of protocol version", self.protocol, peer.protocol),
            ("the engine", self.engine, peer.engine),
            ("a run whose number of parties is", self.parties, peer.parties),
            ("a run whose purpose is to", self.purpose, peer.purpose),
        ):
            if own != other:
                raise HandshakeError(
                    f"The peer brings {what} {other!r}, this party {own!r}. "
                    "Install the same release and use the same configuration at both parties."
                )
        if not peer.ids:
            raise HandshakeError("The peer brings no ids. Alignment needs at least one id at every party.")
        if peer.ids > most:
            raise HandshakeError(
                f"The peer announces {peer.ids:,} ids; this party takes at most {most:,}. If that is meant, say "
                f"psi.max_ids={peer.ids} here; {LIMIT:,} is the most."
            )
