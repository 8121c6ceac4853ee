"""Two machines in one: two network namespaces, joined by a cable that can be long, counted and cut.

Linux' own network emulation (netem) is not everywhere. Here each namespace has a tun device, whose packets this process
reads, keeps for a while, and writes into the other one.
"""

from __future__ import annotations

import fcntl
import os
import select
import shutil
import signal
import struct
import subprocess
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from functools import cache
from itertools import count
from typing import Any

ADDRESSES = ("10.77.0.1", "10.77.0.2")
MTU = 60_000
"""Bytes a packet: few packets, so that Python is fast enough to pass them on."""

_TUNSETIFF, _IFF_TUN, _IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
_numbers = count()


@cache
def reason_why_not() -> str | None:
    """Say why this machine lets nobody make namespaces; None if it does."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    if shutil.which("ip") is None:
        return "network namespaces need the command ip (iproute2)"
    try:
        with two_machines():
            return None
    except (OSError, subprocess.CalledProcessError) as error:
        return f"no network namespaces on this machine: {getattr(error, 'stderr', None) or error}"


class Cable:
    """Passes packets between two tun devices, in a thread.

    Args:
        delay: Seconds one way; half of a round trip.

    Attributes:
        bytes: What each machine has sent, with the headers of IP and TCP, since the start.
    """

    def __init__(self, delay: float = 0.0) -> None:
        self.delay = delay
        self.bytes: dict[str, int] = {}
        self._ends: dict[str, int] = {}
        self._whole = True
        self._wake, self._waker = os.pipe()
        self._thread = threading.Thread(target=self._pass_on, daemon=True)

    def plug(self, name: str, file: int) -> None:
        """Take over the device of a machine; both before the start."""
        self._ends[name], self.bytes[name] = file, 0

    def start(self) -> None:
        """Begin to pass packets on."""
        self._thread.start()

    def cut(self) -> None:
        """Let all packets fall, those on their way too, and tell nobody."""
        self._whole = False

    def mend(self) -> None:
        """Pass packets on again."""
        self._whole = True

    def close(self) -> None:
        """End the thread, and close the devices, which then are gone."""
        os.write(self._waker, b"end")
        if self._thread.ident is not None:
            self._thread.join()
        for file in (self._wake, self._waker, *self._ends.values()):
            os.close(file)

    def _pass_on(self) -> None:
        first, second = self._ends
        waiting: dict[str, deque[tuple[float, bytes]]] = {first: deque(), second: deque()}
        others = {first: self._ends[second], second: self._ends[first]}
        names = {file: name for name, file in self._ends.items()}
        while True:
            due = min((queue[0][0] for queue in waiting.values() if queue), default=None)
            pause = None if due is None else max(0.0, due - time.monotonic())
            ready = select.select([*names, self._wake], [], [], pause)[0]
            if self._wake in ready:
                return
            for file in ready:
                waiting[names[file]].extend(self._take(names[file]))
            for name, queue in waiting.items():
                while queue and queue[0][0] <= time.monotonic():
                    self._deliver(others[name], queue.popleft()[1])

    def _take(self, name: str) -> Iterator[tuple[float, bytes]]:
        """Read what a machine has sent, and say when each packet is due."""
        for _ in range(64):  # then it is the other's turn
            try:
                packet = os.read(self._ends[name], 1 << 16)
            except BlockingIOError:
                return
            self.bytes[name] += len(packet)
            yield time.monotonic() + self.delay, packet

    def _deliver(self, file: int, packet: bytes) -> None:
        if self._whole:
            with suppress(OSError):  # as on a cable: what cannot be taken is gone, and TCP sends it again
                os.write(file, packet)


class Machines:
    """Two namespaces, and the cable between them.

    Args:
        namespaces: Their names, by the machines'.
        cable: Between them.

    Attributes:
        addresses: The machines' IP addresses.
    """

    def __init__(self, namespaces: dict[str, str], cable: Cable) -> None:
        self.namespaces, self.cable = namespaces, cable
        self.addresses = dict(zip(namespaces, ADDRESSES, strict=True))

    def popen(self, machine: str, command: Sequence[str], **settings: Any) -> subprocess.Popen[Any]:
        """Start a command on a machine."""
        return subprocess.Popen(["ip", "netns", "exec", self.namespaces[machine], *command], **settings)

    def running(self) -> list[int]:
        """Return the ids of all processes on both machines."""
        return [pid for name in self.namespaces.values() for pid in processes(name)]


@contextmanager
def two_machines(names: Sequence[str] = ("bob", "alice"), delay: float = 0.0) -> Iterator[Machines]:
    """Make two machines; in the end kill what runs there, and remove them.

    Args:
        names: What to call them; the first gets the first of `ADDRESSES`.
        delay: Seconds that a packet takes from one to the other.
    """
    number = f"{os.getpid()}-{next(_numbers)}"
    with ExitStack() as stack:
        namespaces = {name: stack.enter_context(namespace(f"vl-{name}-{number}")) for name in names}
        cable = stack.enter_context(closing(Cable(delay)))
        for name, address in zip(names, ADDRESSES, strict=True):
            cable.plug(name, device(namespaces[name], address))
        cable.start()
        yield Machines(namespaces, cable)


@contextmanager
def namespace(name: str) -> Iterator[str]:
    """Make a namespace; in the end kill its processes, and remove it.

    TCP's congestion control is Reno's, which every namespace may choose; on a cable that loses nothing it does as Linux' usual
    CUBIC. BBR, the choice of some machines, would spread each message over a round trip.
    """
    ip("netns", "add", name)
    try:
        ip("-n", name, "link", "set", "lo", "up")
        ip("netns", "exec", name, "sh", "-c", "echo reno > /proc/sys/net/ipv4/tcp_congestion_control")
        yield name
    finally:
        for pid in processes(name):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        ip("netns", "delete", name)


def processes(name: str) -> list[int]:
    """Return the ids of a namespace's processes."""
    return [int(pid) for pid in ip("netns", "pids", name).split()]


def device(namespace: str, address: str) -> int:
    """Make a tun device and move it into a namespace; return its file, which stays here."""
    file = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        request = struct.pack("16sH22x", b"vl-tun%d", _IFF_TUN | _IFF_NO_PI)
        name = fcntl.ioctl(file, _TUNSETIFF, request)[:16].rstrip(b"\0").decode()
        ip("link", "set", name, "netns", namespace)
        ip("-n", namespace, "link", "set", name, "addrgenmode", "none", "mtu", str(MTU), "up")
        ip("-n", namespace, "address", "add", f"{address}/24", "dev", name)
    except BaseException:
        os.close(file)
        raise
    return file


def ip(*words: str) -> str:
    """Run a command of iproute2."""
    return subprocess.run(["ip", *words], check=True, capture_output=True, text=True).stdout
