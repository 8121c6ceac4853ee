"""What goes wrong between two processes. No text of another party's error travels: it could hold data."""

from __future__ import annotations

import json


class WireError(ConnectionError):
    """Something between two parties went wrong; the run is over.

    Attributes:
        party: Whose fault it is, so that parties further off can be told.
    """

    def __init__(self, party: str, said: str) -> None:
        super().__init__(said)
        self.party = party


class PeerLostError(WireError):
    """A party is gone, or has shown no sign of life for too long."""


class PeerLeftError(PeerLostError):
    """A party has said goodbye while this one had more to do."""

    def __init__(self, party: str) -> None:
        super().__init__(party, f"{party} has ended its run; this party had more to do.")


class PeerFailedError(WireError):
    """A party has stopped with an error of its own.

    Attributes:
        error: The error's class.
    """

    def __init__(self, party: str, said: str, error: str) -> None:
        super().__init__(party, said)
        self.error = error


def abort_of(peer: str, message: bytes) -> WireError:
    """Make the error that a peer's last message tells of.

    >>> str(abort_of("bob", b'{"party": "carol", "error": "KeyError"}'))
    'carol has stopped with KeyError; its own output says why.'
    >>> str(abort_of("bob", b'{"party": "carol", "error": "PeerLostError"}'))
    'carol is lost, says bob.'
    """
    try:
        said = json.loads(message)
        party, error = str(said["party"])[:100], str(said["error"])[:100]
    except (ValueError, KeyError, TypeError):
        party, error = peer, "an error"
    if error == PeerLostError.__name__:
        return PeerLostError(party, f"{party} is lost, says {peer}.")
    return PeerFailedError(party, f"{party} has stopped with {error}; its own output says why.", error)


def told(error: BaseException, party: str) -> tuple[str, str]:
    """Return whose error ended the run, and its class: what other parties are told.

    >>> told(PeerFailedError("carol", "carol has stopped …", "KeyError"), "bob"), told(KeyError("secret"), "bob")
    (('carol', 'KeyError'), ('bob', 'KeyError'))
    >>> told(PeerLeftError("carol"), "bob")
    ('carol', 'PeerLostError')
    """
    if isinstance(error, SystemExit) and isinstance(error.__context__, KeyboardInterrupt):  # as Lightning leaves
        return party, "Ctrl-C"
    kind = PeerLostError if isinstance(error, PeerLostError) else type(error)
    name = error.error if isinstance(error, PeerFailedError) else kind.__name__
    return error.party if isinstance(error, WireError) else party, name


class RefusedError(WireError):
    """A party was to send, or has sent, what nobody agreed on."""


class MeetingError(WireError):
    """The parties did not come together, or do not mean the same run."""
