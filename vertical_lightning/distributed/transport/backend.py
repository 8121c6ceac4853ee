"""What a backend offers: links to other parties that carry whole frames in order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor


class Link(Protocol):
    """One party's end of a connection to one other party. A frame is a uint8 tensor; frames arrive whole and in order."""

    def send(self, frame: Tensor) -> None:
        """Hand a frame over; it may be changed afterwards.

        Raises:
            Exception: The peer is gone, or takes nothing for too long; the link is of no use any more.
        """

    def receive(self) -> Tensor:
        """Wait for a frame, however long it takes; return a tensor of its own, aligned to 64 bytes.

        Raises:
            Exception: The peer is gone; the link is of no use any more.
        """

    def close(self) -> None:
        """Let go; may be called twice."""


@dataclass(frozen=True)
class Rendezvous:
    """Who is to come together, and where.

    Attributes:
        party: The one party that runs in this process.
        members: All parties, in one order everywhere.
        host: The party that the others look for: the label holder.
        address: Where it listens, `host:port`.
        pairs: Which parties talk to each other.
        patience: Seconds to wait for everybody.
    """

    party: str
    members: Sequence[str]
    host: str
    address: str
    pairs: frozenset[frozenset[str]]
    patience: float

    @property
    def partners(self) -> list[str]:
        """The parties that this one talks to."""
        return [member for member in self.members if frozenset({member, self.party}) in self.pairs]

    @property
    def host_and_port(self) -> tuple[str, int]:
        """The address in parts.

        >>> Rendezvous("bob", ["bob"], "bob", "[::1]:29500", frozenset(), 1.0).host_and_port
        ('::1', 29500)
        """
        host, _, port = self.address.rpartition(":")
        if not host or not port.isdigit() or not 0 < int(port) < 65536:
            raise ValueError(f"rendezvous={self.address} is no address; give the label holder's, such as bob.example:29500.")
        return host.strip("[]"), int(port)


class Backend(Protocol):
    """Brings the parties of a run together.

    Attributes:
        timeout: Seconds without a sign of life after which a peer is lost.
        patience: Seconds to wait for a peer: to come, and for a message of one that lives.
    """

    @property
    def timeout(self) -> float: ...
    @property
    def patience(self) -> float: ...

    def connect(self, rendezvous: Rendezvous) -> Mapping[str, Link]:
        """Return a link to each of the party's partners, once all are there.

        Raises:
            RendezvousError: Somebody did not come, came twice, or is not who it says; or this machine cannot listen there.
            ValueError: The settings are not safe off loopback.
        """
