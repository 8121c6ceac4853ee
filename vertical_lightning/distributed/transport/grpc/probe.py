"""Who is at an address? gRPC says "unavailable" to nearly everything; a handshake of Python's own tells what is the matter."""

from __future__ import annotations

import socket
import ssl

from vertical_lightning.distributed.transport.failure import RendezvousError
from vertical_lightning.distributed.transport.grpc.credentials import Credentials, complaint

_SECONDS = 2.0
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"  # how HTTP/2 begins, with empty settings
_SETTINGS = 4
_ALERT = b"\x15\x03"


def probe(address: str, name: str, credentials: Credentials | None, party: str) -> str | None:
    """Find out whether a party can be connected to.

    Args:
        address: `host:port`.
        name: The party that should be there.
        credentials: None means in the clear.
        party: Who asks.

    Returns:
        None if it is there; else why not (yet).

    Raises:
        RendezvousError: Who is there will not do, and waiting does not change that.
    """
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), _SECONDS) as line:
            return (
                _in_the_clear(line, address, name) if credentials is None else _secured(line, address, name, credentials, party)
            )
    except RendezvousError:
        raise  # an OSError too
    except OSError as error:
        known = {ConnectionRefusedError: "refused", TimeoutError: "timeout", socket.gaierror: "no such host"}
        return known.get(type(error), error.strerror or type(error).__name__)


def _in_the_clear(line: socket.socket, address: str, name: str) -> str | None:
    """Send HTTP/2's first bytes and look at the answer."""
    line.sendall(_PREFACE)
    answer = line.recv(9)
    if answer.startswith(_ALERT) or (not answer and _speaks_tls(line.getpeername())):
        said = f"{name} at {address} wants TLS, and no certificate is set here; set execution.certificate, key and authority."
        raise RendezvousError(name, said)
    return _settings(answer, address, name)


def _speaks_tls(place: tuple[str, int]) -> bool:
    """Whether a server that hung up on HTTP/2 speaks TLS: gRPC's server hangs up without a word."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # nothing is said on this line
    context.set_alpn_protocols(["h2"])
    try:
        with socket.create_connection(place[:2], _SECONDS) as line, context.wrap_socket(line):
            return True
    except OSError:
        return False


def _secured(line: socket.socket, address: str, name: str, credentials: Credentials, party: str) -> str | None:
    """Shake hands in TLS, then send HTTP/2's first bytes."""
    try:
        secured = credentials.context(ssl.PROTOCOL_TLS_CLIENT, party).wrap_socket(line, server_hostname=name)
    except ssl.SSLCertVerificationError as error:
        said = complaint(error, name, credentials.authority)
        raise RendezvousError(name, f"the certificate that is shown at {address} for {name} {said}") from error
    except (ssl.SSLEOFError, ssl.SSLZeroReturnError):  # the end, with or without a word
        return "hangs up"
    except ssl.SSLError as error:
        raise RendezvousError(name, _disagreement(error.reason or str(error), address, name, party)) from error
    with secured:
        try:
            secured.sendall(_PREFACE)
            answer = secured.recv(9)
        except (ssl.SSLError, ConnectionError) as error:
            answer, why = b"", getattr(error, "reason", None) or "it hangs up"
        else:
            why = "it hangs up"
    if not answer:  # only now has the peer looked at this party's certificate, and gRPC's listener gives no reasons
        said = f"{name} at {address} does not accept {party}'s certificate ({why}). All parties need the same authority, "
        raise RendezvousError(party, said + "and clocks that agree.")
    return _settings(answer, address, name)


def _disagreement(reason: str, address: str, name: str, party: str) -> str:
    """Say why there was no handshake."""
    if reason in ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG", "HTTP_REQUEST"):
        return (
            f"{name} at {address} speaks in the clear, and certificates are set here ({reason}). "
            "Set execution.certificate, execution.key and execution.authority there too."
        )
    return f"{name} at {address} and {party} cannot agree on TLS ({reason})."


def _settings(answer: bytes, address: str, name: str) -> str | None:
    """Make sure that the answer is HTTP/2's."""
    if not answer:
        return "hangs up"
    if len(answer) > 3 and answer[3] == _SETTINGS:
        return None
    raise RendezvousError(name, f"what answers at {address} is not {name}: it does not speak gRPC. Is the port right?")
