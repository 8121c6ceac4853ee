"""Frames over gRPC streams, with TLS and a certificate for each party: for parties that reach each other over a network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vertical_lightning.transport.address import is_loopback, own_address, refuse_plaintext
from vertical_lightning.transport.credentials import Credentials
from vertical_lightning.transport.dialer import Dialer
from vertical_lightning.transport.door import Door
from vertical_lightning.transport.failure import MeetingError
from vertical_lightning.transport.grpc_link import GrpcLink
from vertical_lightning.transport.link import Meeting
from vertical_lightning.transport.patience import Patience


@dataclass(frozen=True)
class Grpc:
    """Brings the parties together at the host's port; with certificates, each is who it says.

    Args:
        timeout: Seconds that a peer may take nothing.
        insecure: Whether frames may leave this machine in the clear.
        certificate: Path of this party's certificate, in PEM; its name is the party's.
        key: Path of the certificate's key.
        authority: Path of the certificate of those who issue the parties' certificates.
        listen: The address of this machine to listen at; by default all, and in the clear that of the rendezvous.

    >>> Grpc(certificate="alice.pem")
    Traceback (most recent call last):
    ValueError: wire.certificate is given and wire.key, wire.authority not; give all three, or none on one machine.
    """

    timeout: float = 10.0
    patience: float = 600.0
    insecure: bool = False
    certificate: str | None = None
    key: str | None = None
    authority: str | None = None
    listen: str | None = None

    def __post_init__(self) -> None:
        paths = {"wire.certificate": self.certificate, "wire.key": self.key, "wire.authority": self.authority}
        given = ", ".join(name for name, path in paths.items() if path)
        lacking = ", ".join(name for name, path in paths.items() if not path)
        if given and lacking:
            raise ValueError(f"{given} is given and {lacking} not; give all three, or none on one machine.")

    def connect(self, meeting: Meeting) -> Mapping[str, GrpcLink]:
        """Return a link to each partner."""
        host, _ = meeting.host_and_port
        credentials = self._credentials(meeting.party, host)
        patience = Patience(meeting)
        guests = _guests(meeting)
        door = Door(meeting, guests, self._listens_at(meeting), credentials) if guests else None
        links: dict[str, GrpcLink] = {}
        try:
            if meeting.party != meeting.host:
                _dial_all(meeting, Dialer(meeting, credentials, self.insecure, self.timeout, patience), door, links)
            if door is not None:
                links |= door.wait(patience, self.timeout)
        except BaseException:
            for link in links.values():
                link.abandon()
            if door is not None:
                door.close()
            raise
        return {one: links[one] for one in meeting.partners}

    def _credentials(self, party: str, host: str) -> Credentials | None:
        """Check what this party shows; without anything to show, stay on this machine."""
        if self.certificate and self.key and self.authority:
            credentials = Credentials(self.certificate, self.key, self.authority)
            credentials.check(party)
            return credentials
        for address in filter(None, (host, self.listen)):
            refuse_plaintext(address, self.insecure, "wire=grpc without certificates")
        return None

    def _listens_at(self, meeting: Meeting) -> str:
        host, port = meeting.host_and_port
        hosting = meeting.party == meeting.host
        here = self.listen or "::"
        if not self.listen and (is_loopback(host) or not self.certificate):  # in the clear nobody else's network is listened to
            here = host if hosting else own_address(host, port)
        return _join(here, port if hosting else 0)


def _join(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _guests(meeting: Meeting) -> list[str]:
    """Name those who dial this party: all dial the host; of two others the earlier dials the later."""
    earlier = list(meeting.members[: list(meeting.members).index(meeting.party)])
    if meeting.party == meeting.host:
        return [one for one in meeting.members if one != meeting.host]
    return [one for one in earlier if one in meeting.partners and one != meeting.host]


def _dial_all(meeting: Meeting, dialer: Dialer, door: Door | None, links: dict[str, GrpcLink]) -> None:
    """Dial the host, learn who listens where, dial the later partners; add the links."""
    host, port = meeting.host_and_port
    address = _join(host, port)
    dialer.until_there(meeting.host, address)
    own = _join(own_address(host, port), door.port) if door is not None else ""
    link, book = dialer.dial(meeting.host, address, own)
    links[meeting.host] = link
    for one in meeting.members[list(meeting.members).index(meeting.party) :]:
        if one in meeting.partners and one != meeting.host:
            if one not in book:
                raise MeetingError(one, f"{one} listens nowhere; do {one} and {meeting.party} have the same topology?")
            links[one], _ = dialer.dial(one, book[one], "")
    if meeting.host not in meeting.partners:
        links.pop(meeting.host).close()
