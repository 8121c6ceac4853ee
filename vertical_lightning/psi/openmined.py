"""The cryptography of OpenMined's `openmined-psi` package: Diffie-Hellman on the curve P-256.

The only file that imports the package. It uses the package's RAW setup and nothing else: the package's Bloom filters
pair wrong entities in about 2 % of runs, and a peer's compressed setups can crash the process.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from copy import copy
from functools import partial
from itertools import pairwise

import private_set_intersection.python as native

from vertical_lightning.psi.engine import Kind
from vertical_lightning.psi.parallel import Step, in_parallel
from vertical_lightning.psi.protocol_error import MessageError, PointError, RepeatedPointError, UnsortedSetupError

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Number of points of P-256 (NIST SP 800-186, section 3.2.1.3): powers count modulo it."""

_POINT = 33  # one byte for the sign of y, 32 for x (SEC 1, section 2.3.3)
_ENTRY = 2 + _POINT  # protobuf writes a field number and a length before each


class _Key:
    """One secret power on P-256.

    A native object serves one call only: shared between threads it kills the process.
    """

    def __init__(self, secret: int, done: Step) -> None:
        self._secret = secret
        self._done = done

    def encrypt(self, ids: Sequence[bytes]) -> list[bytes]:
        """Map every id to the curve (the package hashes it there) and raise it to this power."""
        return in_parallel(partial(_map_ids, secret=self._secret), ids, self._done)

    def reencrypt(self, points: Sequence[bytes]) -> list[bytes]:
        """Raise the peer's points to this power."""
        return in_parallel(partial(_raise_points, secret=self._secret), points, self._done)

    def strip(self, points: Sequence[bytes]) -> list[bytes]:
        """Take this power off: raising to its inverse modulo the curve's order undoes it."""
        return in_parallel(partial(_raise_points, secret=pow(self._secret, -1, ORDER)), points, self._done)


class OpenMined:
    """The ECDH engine of `openmined-psi` 2.0.6. A message of n points takes 35 n bytes and up to 12 more.

    Example:
        >>> engine = OpenMined()
        >>> mine, yours = engine.key(), engine.key()
        >>> yours.reencrypt(mine.encrypt([b"zoe"])) == mine.reencrypt(yours.encrypt([b"zoe"]))
        True
    """

    name = "openmined-p256"

    def __init__(self, done: Step = lambda points: None) -> None:
        """Keep the callback that is told how many points are done."""
        self._done = done

    def watched(self, done: Step) -> OpenMined:
        """Return this engine, telling `done` after every few thousand points."""
        watched = copy(self)
        watched._done = done
        return watched

    def key(self) -> _Key:
        """Draw a fresh secret, uniform in [1, order)."""
        return _Key(1 + secrets.randbelow(ORDER - 1), self._done)

    def pack(self, kind: Kind, points: Sequence[bytes]) -> bytes:
        """Write points as the package itself would, byte for byte."""
        if kind == "request":
            message = native.Request(reveal_intersection=True, encrypted_elements=points)
        elif kind == "setup":
            message = native.ServerSetup(raw={"encrypted_elements": points})
        else:
            message = native.Response(encrypted_elements=points)
        return bytes(message.SerializeToString())

    def size(self, kind: Kind, count: int) -> int:
        """Return the length: 35 a point, 2 for a request's flag, 1 and a varint for a setup's wrapping."""
        body = _ENTRY * count
        return body + {"request": 2, "setup": 1 + max(1, -(-body.bit_length() // 7)), "response": 0}[kind]

    def unpack(self, kind: Kind, message: bytes, count: int) -> list[bytes]:
        """Read a peer's message; see `Engine.unpack` for all that it checks."""
        if len(message) != self.size(kind, count):  # before parsing: an oversized message costs nothing
            raise MessageError(
                f"The {kind} has {len(message):,} bytes; {count:,} points take {self.size(kind, count):,}. "
                "The peer announced another number of ids or the message was cut."
            )
        points = _parse(kind, message)
        if self.pack(kind, points) != message:  # any other data structure, field or flag shows here
            raise MessageError(f"The {kind} is not a plain list of points. Both parties must run the same release.")
        if any(len(point) != _POINT or point[0] not in (2, 3) for point in points):
            raise PointError(f"The {kind} holds an entry that is not a compressed point of {_POINT} bytes.")
        repeats = len(points) - len(set(points))
        if repeats:
            raise RepeatedPointError(f"The {kind} repeats {repeats:,} of {count:,} points; distinct ids never do.")
        if kind == "setup" and any(left >= right for left, right in pairwise(points)):
            raise UnsortedSetupError("The setup is not in strictly ascending order; its order could tell about rows.")
        return points


def _key_bytes(secret: int) -> bytes:
    return secret.to_bytes(32, "big")


def _map_ids(ids: Sequence[bytes], secret: int) -> list[bytes]:
    client = native.client.CreateFromKey(_key_bytes(secret), True)
    return list(client.CreateRequest(list(ids)).encrypted_elements)


def _raise_points(points: Sequence[bytes], secret: int) -> list[bytes]:
    server = native.server.CreateFromKey(_key_bytes(secret), True)
    request = native.Request(reveal_intersection=True, encrypted_elements=points)
    try:
        return list(server.ProcessRequest(request).encrypted_elements)
    except RuntimeError as error:
        raise PointError(f"One of {len(points):,} entries is no point of the curve P-256.") from error


def _parse(kind: Kind, message: bytes) -> list[bytes]:
    try:
        if kind == "setup":
            return list(native.ServerSetup.FromString(message).raw.encrypted_elements)
        parser = native.Request if kind == "request" else native.Response
        return list(parser.FromString(message).encrypted_elements)
    except Exception as error:  # protobuf's DecodeError, whose import path differs between its releases
        raise MessageError(f"The {kind} cannot be read. It was changed on its way or is of another protocol.") from error
