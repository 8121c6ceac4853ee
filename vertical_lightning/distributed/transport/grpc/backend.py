"""Frames over gRPC streams, with TLS and a certificate for each party: for parties that reach each other over a network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vertical_lightning.distributed.transport.address import is_loopback, own_address, refuse_plaintext
from vertical_lightning.distributed.transport.backend import Rendezvous
from vertical_lightning.distributed.transport.deadline import Deadline
from vertical_lightning.distributed.transport.failure import RendezvousError
from vertical_lightning.distributed.transport.grpc.client import Client
from vertical_lightning.distributed.transport.grpc.credentials import Credentials
from vertical_lightning.distributed.transport.grpc.server import Server
from vertical_lightning.distributed.transport.grpc.stream import GrpcLink


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
    ValueError: certificate is given and key, authority not; give all three of execution, or none on one machine.
    """

    timeout: float = 10.0
    patience: float = 600.0
    insecure: bool = False
    certificate: str | None = None
    key: str | None = None
    authority: str | None = None
    listen: str | None = None

    def __post_init__(self) -> None:
        paths = {"certificate": self.certificate, "key": self.key, "authority": self.authority}
        given = ", ".join(name for name, path in paths.items() if path)
        lacking = ", ".join(name for name, path in paths.items() if not path)
        if given and lacking:
            raise ValueError(f"{given} is given and {lacking} not; give all three of execution, or none on one machine.")

    def connect(self, rendezvous: Rendezvous) -> Mapping[str, GrpcLink]:
        """Return a link to each partner."""
        host, _ = rendezvous.host_and_port
        credentials = self._credentials(rendezvous.party, host)
        deadline = Deadline(rendezvous)
        expected = _expected(rendezvous)
        server = Server(rendezvous, expected, self._listens_at(rendezvous), credentials) if expected else None
        links: dict[str, GrpcLink] = {}
        try:
            if rendezvous.party != rendezvous.host:
                _connect_all(rendezvous, Client(rendezvous, credentials, self.insecure, self.timeout, deadline), server, links)
            if server is not None:
                links |= server.wait(deadline, self.timeout)
        except BaseException:
            for link in links.values():
                link.abandon()
            if server is not None:
                server.close()
            raise
        return {partner: links[partner] for partner in rendezvous.partners}

    def _credentials(self, party: str, host: str) -> Credentials | None:
        """Check what this party shows; without anything to show, stay on this machine."""
        if self.certificate and self.key and self.authority:
            credentials = Credentials(self.certificate, self.key, self.authority)
            credentials.check(party)
            return credentials
        for address in filter(None, (host, self.listen)):
            refuse_plaintext(address, self.insecure, "execution=grpc without certificates")
        return None

    def _listens_at(self, rendezvous: Rendezvous) -> str:
        host, port = rendezvous.host_and_port
        hosting = rendezvous.party == rendezvous.host
        here = self.listen or "::"
        if not self.listen and (is_loopback(host) or not self.certificate):  # in the clear nobody else's network is listened to
            here = host if hosting else own_address(host, port)
        return _join(here, port if hosting else 0)


def _join(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _expected(rendezvous: Rendezvous) -> list[str]:
    """Name the parties that connect to this one: all connect to the host; of two others the earlier to the later."""
    earlier = list(rendezvous.members[: list(rendezvous.members).index(rendezvous.party)])
    if rendezvous.party == rendezvous.host:
        return [member for member in rendezvous.members if member != rendezvous.host]
    return [member for member in earlier if member in rendezvous.partners and member != rendezvous.host]


def _connect_all(rendezvous: Rendezvous, client: Client, server: Server | None, links: dict[str, GrpcLink]) -> None:
    """Connect to the host, learn who listens where, connect to the later partners; add the links."""
    host, port = rendezvous.host_and_port
    address = _join(host, port)
    client.until_there(rendezvous.host, address)
    own = _join(own_address(host, port), server.port) if server is not None else ""
    link, book = client.connect(rendezvous.host, address, own)
    links[rendezvous.host] = link
    for member in rendezvous.members[list(rendezvous.members).index(rendezvous.party) :]:
        if member in rendezvous.partners and member != rendezvous.host:
            if member not in book:
                raise RendezvousError(
                    member, f"{member} listens nowhere; do {member} and {rendezvous.party} have the same topology?"
                )
            links[member], _ = client.connect(member, book[member], "")
    if rendezvous.host not in rendezvous.partners:
        links.pop(rendezvous.host).close()
