"""A party's certificate, checked at home: a peer that refuses one only hangs up, and does not say why."""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass
from pathlib import Path

import grpc

from vertical_lightning.distributed.transport.failure import RendezvousError

_EXPIRED, _TOO_EARLY, _OTHER_NAME = 10, 9, 62  # OpenSSL's X509_V_ERR_…


def complaint(error: ssl.SSLCertVerificationError, party: str, authority: str) -> str:
    """Say what is wrong with a certificate that should be a party's."""
    if error.verify_code == _EXPIRED:
        return f"has expired, or its authority's has. Let the authority issue {party} a new one."
    if error.verify_code == _TOO_EARLY:
        return "is not valid yet. Is this machine's clock right?"
    if error.verify_code == _OTHER_NAME:
        return f"has another name than {party}. A certificate's name (subjectAltName, DNS) has to be the party's."
    return f"was not issued by the authority in {authority} ({error.verify_message}). All parties need the same authority."


@dataclass(frozen=True)
class Credentials:
    """What a party shows, and whom it believes; paths of PEM files.

    Args:
        certificate: The party's own; its name (subjectAltName, DNS) is the party's.
        key: The certificate's, without a password.
        authority: The certificate of those who issue the parties' certificates.
    """

    certificate: str
    key: str
    authority: str

    def check(self, party: str) -> None:
        """Make sure that a peer will believe this party.

        Raises:
            RendezvousError: A file is missing, or no peer would accept the certificate.
        """
        for path in (self.certificate, self.key, self.authority):
            if not (os.path.isfile(path) and os.access(path, os.R_OK)):
                raise RendezvousError(party, f"{path} is no file that {party} can read; give the path of a PEM file.")
        try:
            _shake_hands(self.context(ssl.PROTOCOL_TLS_CLIENT, party), self.context(ssl.PROTOCOL_TLS_SERVER, party), party)
        except ssl.SSLCertVerificationError as error:
            said = complaint(error, party, self.authority)
            raise RendezvousError(party, f"{party}'s own certificate {self.certificate} {said}") from error
        except ssl.SSLError as error:
            said = f"{party}'s own certificate {self.certificate} is of no use in TLS ({error.reason})."
            raise RendezvousError(party, said) from error

    def context(self, protocol: int, party: str) -> ssl.SSLContext:
        """Return the settings for a line of Python's own, with the peer's certificate demanded."""
        context = ssl.SSLContext(protocol)
        context.verify_mode = ssl.CERT_REQUIRED
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["h2"])
        try:
            context.load_verify_locations(self.authority)
        except ssl.SSLError as error:
            raise RendezvousError(party, f"{self.authority} holds no certificate of an authority in PEM.") from error
        try:
            context.load_cert_chain(self.certificate, self.key, password=lambda: "")  # without: OpenSSL asks the terminal
        except ssl.SSLError as error:
            said = f"{self.key} is not the key of {self.certificate}; give both in PEM, the key without a password."
            raise RendezvousError(party, said) from error
        return context

    def of_server(self) -> grpc.ServerCredentials:
        """Return the settings for gRPC's server; it demands a certificate of every client."""
        pair = (Path(self.key).read_bytes(), Path(self.certificate).read_bytes())
        return grpc.ssl_server_credentials([pair], Path(self.authority).read_bytes(), require_client_auth=True)

    def of_client(self) -> grpc.ChannelCredentials:
        """Return the settings for gRPC's client."""
        authority, key, certificate = (Path(path).read_bytes() for path in (self.authority, self.key, self.certificate))
        return grpc.ssl_channel_credentials(authority, key, certificate)


def _shake_hands(client: ssl.SSLContext, server: ssl.SSLContext, name: str) -> None:
    """Let a party meet itself, in memory: OpenSSL then judges the certificate as a peer's would."""
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [client.wrap_bio(down, up, server_hostname=name), server.wrap_bio(up, down, server_side=True)]
    while ends:
        for end in list(ends):
            try:
                end.do_handshake()
                ends.remove(end)
            except ssl.SSLWantReadError:
                continue
