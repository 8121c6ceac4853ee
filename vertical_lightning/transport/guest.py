"""Who comes to a party's door, and who is turned away."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from vertical_lightning.transport.form import parse
from vertical_lightning.transport.link import Meeting
from vertical_lightning.transport.messages import HELLO
from vertical_lightning.transport.outbox import Outbox

LONGEST = 2**18
"""Most bytes of a first message."""


def hello(meeting: Meeting, whom: str, address: str) -> bytes:
    """Write the first message of whoever dials `whom`; `address` is where it listens itself, if it does."""
    words = {"party": meeting.party, "members": list(meeting.members), "whom": whom, "address": address}
    return json.dumps(words).encode()


@dataclass(frozen=True, eq=False)
class Guest:
    """A party that has dialed, by its own account.

    Attributes:
        party: Its name.
        members: Who takes part, to its knowledge.
        whom: Who it means to have dialed.
        address: Where it listens itself; empty if it does not.
        incoming: What it sends.
        outbox: What it is sent.
    """

    party: str
    members: Sequence[str]
    whom: str
    address: str
    incoming: Iterator[bytes]
    outbox: Outbox = field(default_factory=Outbox)

    @classmethod
    def read(cls, first: bytes, incoming: Iterator[bytes]) -> Guest:
        """Read its first message; a nameless guest is one that does not speak as we do.

        >>> Guest.read(b"?", iter([])).party
        ''
        """
        try:
            return cls(**parse(first[:LONGEST], HELLO), incoming=incoming)
        except ValueError:
            return cls("", [], "", "", incoming)


def refusal(
    guest: Guest,
    meeting: Meeting,
    guests: Sequence[str],
    inside: Mapping[str, Guest],
    shown: Mapping[str, Iterable[bytes]] | None,
) -> str:
    """Say why somebody cannot come in; nothing if it can.

    Args:
        guest: Who it is.
        meeting: Who comes together.
        guests: Who is to dial here.
        inside: Who has.
        shown: gRPC's account of the certificate; None in the clear.
    """
    here, members = meeting.party, ", ".join(meeting.members)
    if not guest.party:
        return (
            f"{here} at {meeting.address} does not understand this version of vertical_lightning; install the same everywhere."
        )
    if shown is not None and guest.party not in (names := _names(shown)):
        return f"{guest.party} shows a certificate of {', '.join(names) or 'nobody'}; {here} wants one of {guest.party}'s."
    if guest.whom != here:
        return f"{guest.party} looks for {guest.whom}, and {here} is here. Is the port right?"
    if guest.party not in meeting.members:
        return f"{guest.party} does not take part at {meeting.address}; parties: {members}."
    if guest.members != list(meeting.members):
        return f"the parties disagree who takes part: {members} at {here}, {', '.join(guest.members)} at {guest.party}."
    if guest.party not in guests:
        return f"{guest.party} is not to dial {here}; do both have the same topology?"
    if guest.party in inside:
        return (
            f"a {guest.party} takes part at {meeting.address} already. Each party is started once; "
            "if an earlier run still ends, start again in a moment."
        )
    return ""


def _names(shown: Mapping[str, Iterable[bytes]]) -> list[str]:
    """Read a certificate's names; the common name counts only where there is no other, as in TLS itself."""
    names = shown.get("x509_subject_alternative_name") or shown.get("x509_common_name") or []
    return [name.decode(errors="replace") for name in names]
