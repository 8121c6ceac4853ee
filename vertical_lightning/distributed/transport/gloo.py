"""Frames over gloo, which comes with torch: the fastest way, without encryption, for parties inside one trust domain."""

from __future__ import annotations

import os
import secrets
import socket
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, wait
from dataclasses import dataclass
from datetime import timedelta
from threading import Thread
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from vertical_lightning.distributed.transport.address import own_address, refuse_plaintext
from vertical_lightning.distributed.transport.backend import Rendezvous
from vertical_lightning.distributed.transport.deadline import Deadline
from vertical_lightning.distributed.transport.failure import PeerLostError, RendezvousError, shown
from vertical_lightning.distributed.transport.frame import HEADER, PAYLOAD

_TCPStore: Any = dist.TCPStore  # type: ignore[attr-defined]
_PrefixStore: Any = dist.PrefixStore  # type: ignore[attr-defined]

WINDOW = 4
"""Receives that wait for frames at any time: a frame that finds none waits for one, which costs a millisecond."""

TAG = 0x764C
LATE = 2.0
"""Seconds beyond the deadline in which torch's own errors, which say more, may still come."""

FOREVER = timedelta(days=365)
"""Silence is noticed elsewhere: a receive that gloo lets time out would close the connection."""


@dataclass(frozen=True)
class Gloo:
    """Brings the parties together at a store on the host's port, in a process group of its own.

    torch's default group stays free: libraries that find one, torchmetrics among them, would wait for all its members.

    Args:
        timeout: Seconds without a sign of life after which a peer is lost.
        patience: Seconds to wait for a peer: to come, and for a message of one that lives.
        insecure: Whether frames may leave this machine, in the clear.
    """

    timeout: float = 10.0
    patience: float = 600.0
    insecure: bool = False

    def connect(self, rendezvous: Rendezvous) -> Mapping[str, GlooLink]:
        """Return a link to each partner.

        torch's calls hear no signal and may wait for ever, at a port that accepts and is silent; so they are made in a thread.
        """
        host, port = rendezvous.host_and_port
        refuse_plaintext(host, self.insecure, "execution=gloo")
        links: Future[Mapping[str, GlooLink]] = Future()
        Thread(target=fulfil, args=[links, lambda: self._connect(rendezvous, host, port)], name="gloo", daemon=True).start()
        ends = time.monotonic() + rendezvous.patience + LATE
        while not wait([links], timeout=0.2).done and time.monotonic() < ends:
            continue
        if not links.done():
            raise RendezvousError(
                rendezvous.host, f"what answers at {rendezvous.address} says nothing. Is it {rendezvous.host}?"
            )
        return links.result()

    def _connect(self, rendezvous: Rendezvous, host: str, port: int) -> Mapping[str, GlooLink]:
        deadline = Deadline(rendezvous)
        store = self._store(rendezvous, host, port, deadline)
        _register(store, rendezvous, deadline)
        gloo: Any = dist.ProcessGroupGloo  # its types leave out the half; tests/transport hold it to what is used here
        options = gloo._Options()
        options._devices = [gloo.create_device(hostname=own_address(host, port))]
        options._timeout = timedelta(seconds=rendezvous.patience)
        members = list(rendezvous.members)
        try:
            group = gloo(_PrefixStore("vertical_lightning", store), members.index(rendezvous.party), len(members), options)
        except RuntimeError as error:
            raise RendezvousError(
                rendezvous.party, f"the parties met at {rendezvous.address}, but one has left again."
            ) from error
        links = {partner: GlooLink(group, members.index(partner), self.timeout, store) for partner in rendezvous.partners}
        _all_here(store, rendezvous, "ready", deadline)  # the host of the store must not leave before
        return links

    def _store(self, rendezvous: Rendezvous, host: str, port: int, deadline: Deadline) -> Any:
        """Open the host's store, or wait for it."""
        hosting = rendezvous.party == rendezvous.host
        if not hosting:
            _until_there(rendezvous, host, port, deadline)
        try:
            timeout = timedelta(seconds=rendezvous.patience)
            own = {"master_listen_fd": _listen(host, port)} if hosting else {}
            return _TCPStore(host, port, is_master=hosting, timeout=timeout, wait_for_workers=False, **own)
        except (RuntimeError, OSError) as error:
            if hosting:
                here = f"{rendezvous.party} cannot listen at {rendezvous.address}"
                said = "is that no address of this machine, or is another program, or this one, running there already?"
                raise RendezvousError(rendezvous.party, f"{here}; {said} Choose another rendezvous.") from error
            raise RendezvousError(rendezvous.host, f"what answers at {rendezvous.address} is not {rendezvous.host}.") from error


class GlooLink:
    """One end of gloo's connection to one member of the group."""

    def __init__(self, group: Any, rank: int, timeout: float, store: Any) -> None:
        self._group, self._rank, self._timeout = group, rank, timedelta(seconds=timeout)
        self._store = store  # lives as long as the link
        self._buffers = [torch.empty(HEADER + PAYLOAD, dtype=torch.uint8) for _ in range(WINDOW)]
        self._works = [group.recv([buffer], rank, TAG) for buffer in self._buffers]
        self._turn = 0

    def send(self, frame: Tensor) -> None:
        """Hand a frame over."""
        self._group.send([frame], self._rank, TAG).wait(self._timeout)

    def receive(self) -> Tensor:
        """Wait for a frame, in a buffer for the longest: gloo does not tell how much came, the frame's header does."""
        self._works[self._turn].wait(FOREVER)
        buffer = self._buffers[self._turn]
        size = min(int.from_bytes(buffer[20:24].numpy().tobytes(), "little"), PAYLOAD)  # the header's own word
        frame = buffer[: HEADER + size].clone()
        self._works[self._turn] = self._group.recv([buffer], self._rank, TAG)
        self._turn = (self._turn + 1) % WINDOW
        return frame

    def close(self) -> None:
        """Let go."""


def fulfil(promise: Future[Any], call: Callable[[], Any]) -> None:
    """Put a call's result, or its error, into a future."""
    try:
        promise.set_result(call())
    except BaseException as error:
        promise.set_exception(error)


def _listen(host: str, port: int) -> int:
    """Listen at the rendezvous only; by itself the store would listen to every network that this machine is in."""
    family = socket.getaddrinfo(host, port)[0][0]
    with socket.create_server((host, port), family=family) as listening:
        return os.dup(listening.fileno())  # the store closes its own


def _until_there(rendezvous: Rendezvous, host: str, port: int, deadline: Deadline) -> None:
    """Wait until somebody listens at the rendezvous."""
    while True:
        try:
            with socket.create_connection((host, port), timeout=2.0):
                return
        except OSError as error:
            why = "timeout" if isinstance(error, TimeoutError) else "refused"
        said = f"{rendezvous.host} does not answer at {rendezvous.address} ({why}, {rendezvous.patience:.0f} s). "
        deadline.wait([rendezvous.host], said + "Is rendezvous its address and port, and has it been started?")
        time.sleep(0.05)


def _register(store: Any, rendezvous: Rendezvous, deadline: Deadline) -> None:
    """Say that this party is here, once, and wait for the others."""
    token = secrets.token_hex(8)
    if store.compare_set(f"name/{rendezvous.party}", "", token) != token.encode():
        raise RendezvousError(
            rendezvous.party,
            f"a {rendezvous.party} takes part at {rendezvous.address} already. Each party is started once; "
            "if an earlier run still ends, start again in a moment.",
        )
    members = ",".join(rendezvous.members)
    if (agreed := store.compare_set("members", "", members)) != members.encode():
        first = shown(agreed[:1000].decode(errors="replace"))
        raise RendezvousError(rendezvous.party, f"the parties disagree who takes part: {first} at the first, {members} here.")
    _all_here(store, rendezvous, "here", deadline)


def _all_here(store: Any, rendezvous: Rendezvous, what: str, deadline: Deadline) -> None:
    """Wait until every member has come this far."""
    store.set(f"{what}/{rendezvous.party}", "yes")
    waiting = [member for member in rendezvous.members if member != rendezvous.party]
    while waiting := [member for member in waiting if not _has(store, f"{what}/{member}", rendezvous)]:
        deadline.wait(waiting)
        time.sleep(0.02)


def _has(store: Any, key: str, rendezvous: Rendezvous) -> bool:
    try:
        return bool(store.check([key]))
    except RuntimeError as error:
        raise PeerLostError(rendezvous.host, f"{rendezvous.host} has left before everybody had come.") from error
