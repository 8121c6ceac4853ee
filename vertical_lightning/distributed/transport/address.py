"""Where this machine is, seen from the others; and what needs no protection."""

from __future__ import annotations

import ipaddress
import socket


def own_address(host: str, port: int) -> str:
    """Return the address that this machine would reach `host` from: the one under which others reach it.

    >>> own_address("127.0.0.1", 29500)
    '127.0.0.1'
    """
    family, kind, protocol, _, target = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
    with socket.socket(family, kind, protocol) as probe:
        probe.connect(target)  # sends nothing: the system only looks up the way
        return str(probe.getsockname()[0])


def is_loopback(host: str) -> bool:
    """Whether what is said to `host` stays on this machine.

    >>> is_loopback("localhost"), is_loopback("10.0.0.1")
    (True, False)
    """
    try:
        addresses = socket.getaddrinfo(host, None)
    except OSError:
        return False
    return all(ipaddress.ip_address(str(resolved[4][0])).is_loopback for resolved in addresses)


def refuse_plaintext(host: str, insecure: bool, how: str) -> None:
    """Refuse to send in the clear over a network, unless the user said so.

    Raises:
        ValueError: `host` is off loopback.
    """
    if not insecure and not is_loopback(host):
        raise ValueError(
            f"{how} would send to {host} without encryption. Use execution=grpc with execution.certificate, "
            "key and authority; or say execution.insecure=true inside a network where everybody is trusted (a VPN)."
        )
