"""What ends the conversation with a peer: its goodbye, or that it tells of an error."""

from __future__ import annotations

from collections.abc import Collection

from vertical_lightning.distributed.transport.failure import (
    PeerFailedError,
    PeerLeftError,
    PeerLostError,
    RefusedError,
    WireError,
)
from vertical_lightning.distributed.transport.form import parse
from vertical_lightning.distributed.transport.frame import Kind
from vertical_lightning.distributed.transport.messages import ABORT, BARE


def end_in(kind: Kind, message: bytes, peer: str, party: str, members: Collection[str]) -> WireError | None:
    """Return the error that ends the conversation, also if the message itself is not allowed; None for a sign of life.

    Args:
        kind: A sign of life, a goodbye, or an abort.
        message: What came.
        peer: Who sent it.
        party: This party.
        members: The parties whose errors the peer can tell of.
    """
    try:
        said = parse(message, ABORT if kind == Kind.ABORT else BARE)
        if kind == Kind.ABORT and said["party"] not in members:
            raise ValueError("it tells of an error of somebody who does not take part")
    except ValueError as error:
        return RefusedError.of(peer, party, f"its {kind.name.lower()} is not what it must be: {error}")
    if kind == Kind.ABORT:
        return abort_of(peer, **said)
    return PeerLeftError(peer) if kind == Kind.GOODBYE else None


def abort_of(peer: str, party: str, error: str) -> WireError:
    """Return the error that a peer's last message tells of: which party failed, and which one says so.

    >>> str(abort_of("bob", "bob", "KeyError"))
    "bob has stopped with KeyError; bob's own output says why."
    >>> str(abort_of("bob", "carol", "KeyError"))
    "carol has stopped with KeyError, says bob; carol's own output says why."
    >>> str(abort_of("bob", "carol", "PeerLostError"))
    'carol is lost, says bob.'
    >>> str(abort_of("bob", "carol", "RefusedError"))
    'what carol sent was refused, says bob; the output of who refused it says why.'
    """
    says = "" if party == peer else f", says {peer}"
    if error == PeerLostError.__name__:
        return PeerLostError(party, f"{party} is lost{says}.")
    if error == RefusedError.__name__:
        return PeerFailedError(party, f"what {party} sent was refused{says}; the output of who refused it says why.", error)
    return PeerFailedError(party, f"{party} has stopped with {error}{says}; {party}'s own output says why.", error)
