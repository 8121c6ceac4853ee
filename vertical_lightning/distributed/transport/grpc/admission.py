"""Who may take part: a party that connects says who it is, and is admitted or refused with a reason."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from vertical_lightning.distributed.transport.backend import Rendezvous
from vertical_lightning.distributed.transport.form import parse
from vertical_lightning.distributed.transport.messages import HELLO
from vertical_lightning.distributed.transport.send_queue import SendQueue

LONGEST = 2**18
"""Most bytes of a first message."""


def hello(rendezvous: Rendezvous, whom: str, address: str) -> bytes:
    """Return the first message to the party `whom`; `address` is where the sender itself listens, or empty."""
    words = {"party": rendezvous.party, "members": list(rendezvous.members), "whom": whom, "address": address}
    return json.dumps(words).encode()


@dataclass(frozen=True, eq=False)
class Applicant:
    """A party that asks to be admitted, as it describes itself.

    Attributes:
        party: Its name.
        members: Who takes part, to its knowledge.
        whom: The party that it means to have reached.
        address: Where it listens itself; empty if it does not.
        incoming: What it sends.
        send_queue: What it is sent.
    """

    party: str
    members: Sequence[str]
    whom: str
    address: str
    incoming: Iterator[bytes]
    send_queue: SendQueue = field(default_factory=SendQueue)

    @classmethod
    def read(cls, first: bytes, incoming: Iterator[bytes]) -> Applicant:
        """Read the first message; the name stays empty if the message has another form.

        >>> Applicant.read(b"?", iter([])).party
        ''
        """
        try:
            return cls(**parse(first[:LONGEST], HELLO), incoming=incoming)
        except ValueError:
            return cls("", [], "", "", incoming)


def refusal(
    applicant: Applicant,
    rendezvous: Rendezvous,
    expected: Sequence[str],
    inside: Mapping[str, Applicant],
    shown: Mapping[str, Iterable[bytes]] | None,
) -> str:
    """Return the reason why an applicant is refused; empty if it is admitted.

    Args:
        applicant: The party that has connected.
        rendezvous: Who comes together.
        expected: The parties that are to connect here.
        inside: The parties that are admitted already.
        shown: gRPC's account of the certificate; None in the clear.
    """
    here, members = rendezvous.party, ", ".join(rendezvous.members)
    if not applicant.party:
        place = f"{here} at {rendezvous.address}"
        return f"{place} does not understand this version of vertical_lightning; install the same everywhere."
    if shown is not None and applicant.party not in (names := _names(shown)):
        return (
            f"{applicant.party} shows a certificate of {', '.join(names) or 'nobody'}; {here} wants one of {applicant.party}'s."
        )
    if applicant.whom != here:
        return f"{applicant.party} looks for {applicant.whom}, and {here} is here. Is the port right?"
    if applicant.party not in rendezvous.members:
        return f"{applicant.party} does not take part at {rendezvous.address}; parties: {members}."
    if applicant.members != list(rendezvous.members):
        return f"the parties disagree who takes part: {members} at {here}, {', '.join(applicant.members)} at {applicant.party}."
    if applicant.party not in expected:
        return f"{applicant.party} is not to dial {here}; do both have the same topology?"
    if applicant.party in inside:
        return (
            f"a {applicant.party} takes part at {rendezvous.address} already. Each party is started once; "
            "if an earlier run still ends, start again in a moment."
        )
    return ""


def _names(shown: Mapping[str, Iterable[bytes]]) -> list[str]:
    """Read a certificate's names; the common name counts only where there is no other, as in TLS itself."""
    names = shown.get("x509_subject_alternative_name") or shown.get("x509_common_name") or []
    return [name.decode(errors="replace") for name in names]
