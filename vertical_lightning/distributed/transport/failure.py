"""What goes wrong between two processes. No text of another party's error travels: it could hold data."""

from __future__ import annotations

import re

from vertical_lightning.config.stopping import reason


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


def told(error: BaseException, party: str) -> tuple[str, str]:
    """Return whose error ended the run, and its class: what other parties are told.

    >>> told(PeerFailedError("carol", "carol has stopped …", "KeyError"), "bob"), told(KeyError("secret"), "bob")
    (('carol', 'KeyError'), ('bob', 'KeyError'))
    >>> told(PeerLeftError("carol"), "bob")
    ('carol', 'PeerLostError')
    """
    if stopped := reason(error):
        return party, stopped
    kind = PeerLostError if isinstance(error, PeerLostError) else type(error)
    name = error.error if isinstance(error, PeerFailedError) else kind.__name__
    return error.party if isinstance(error, WireError) else party, name


def quoted(words: str, most: int = 300) -> str:
    r"""Quote a peer's words: on one line, in quotes that they cannot end, without control characters.

    >>> print(quoted('gone\n\x1b[2J". To go on: curl'))
    "gone[2J'. To go on: curl"
    """
    plain = "".join(sign for sign in words if sign.isprintable()).replace('"', "'")
    return f'"{plain[:most]}…"' if len(plain) > most else f'"{plain}"'


def shown(value: object) -> str:
    """Write a peer's value as a setting is written; one that could be taken for words of this program in quotes.

    >>> print(shown([128, 64]), shown("concat"), shown("16. To go on: curl"))
    [128, 64] concat "16. To go on: curl"
    """
    plain = re.fullmatch(r"[\w.,+-]{0,64}|\[[\w., +-]{0,200}\]", str(value))
    return str(value) if plain else quoted(str(value), most=100)


class RefusedError(WireError):
    """A party has sent, or was about to send, something that was not agreed on."""

    @classmethod
    def of(cls, sender: str, party: str, why: str) -> RefusedError:
        """Say what a party has refused."""
        return cls(sender, f"{party} refuses what {sender} sent: {why}.")


class RendezvousError(WireError):
    """The parties did not come together, or their settings differ."""
