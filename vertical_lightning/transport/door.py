"""Where a party lets others in: gRPC's server, with one stream for each party that dials."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, Future
from typing import Any

import grpc

from vertical_lightning.transport.credentials import Credentials
from vertical_lightning.transport.failure import MeetingError
from vertical_lightning.transport.grpc_link import GrpcLink
from vertical_lightning.transport.grpc_options import METHOD, OPTIONS, SERVICE
from vertical_lightning.transport.guest import Guest, refusal
from vertical_lightning.transport.link import Meeting
from vertical_lightning.transport.patience import Patience

OFTEN = 0.5
"""Seconds between two words to those who wait."""


class Door:
    """A listener that waits for certain parties, and tells each who is missing and, at last, who listens where.

    Args:
        meeting: Who comes together.
        guests: Who of them dials here.
        address: Where to listen, `host:port`; port 0 is any.
        credentials: None means in the clear.
    """

    def __init__(self, meeting: Meeting, guests: list[str], address: str, credentials: Credentials | None) -> None:
        self._meeting, self._guests, self._secure = meeting, guests, credentials is not None
        self._here: dict[str, Guest] = {}
        self._changed = threading.Condition()
        self._complete, self._failed, self._links = False, "", 0
        self._server = grpc.server(_Threads(), options=[*OPTIONS, ("grpc.so_reuseport", 0)])
        handler = grpc.stream_stream_rpc_method_handler(self._serve)
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, {METHOD: handler}),))
        try:
            if credentials is None:
                self.port = self._server.add_insecure_port(address)
            else:
                self.port = self._server.add_secure_port(address, credentials.of_server())
        except RuntimeError as error:
            said = f"{meeting.party} cannot listen at {address}; is another program, or {meeting.party} itself, "
            raise MeetingError(meeting.party, said + "running there already? Choose another rendezvous.") from error
        self._server.start()

    def wait(self, patience: Patience, timeout: float) -> Mapping[str, GrpcLink]:
        """Return links to those partners who dial here, once all guests are there."""
        with self._changed:
            while missing := self._missing():
                try:
                    patience.wait(missing)
                except MeetingError as error:
                    self._failed = str(error)
                    self._changed.notify_all()
                    raise
                self._changed.wait(0.2)
            guests = [guest for name, guest in self._here.items() if name in self._meeting.partners]
            self._links = len(guests)
        return {one.party: GrpcLink(one.party, one.outbox, one.incoming, timeout, self._once()) for one in guests}

    def close(self) -> None:
        """Stop listening; those who still wait are told why."""
        self._server.stop(1.0).wait(2.0)

    def _once(self) -> Callable[[], None]:
        """Return what a link does when it closes: the last one closes the door."""
        left = threading.Event()

        def leave() -> None:
            with self._changed:
                if left.is_set():
                    return
                left.set()
                self._links -= 1
                last = not self._links
            if last:
                self.close()

        return leave

    def _missing(self) -> list[str]:
        """Name those who have not come; once all have, nobody is missing any more, whoever leaves."""
        missing = [] if self._complete else [one for one in self._guests if one not in self._here]
        self._complete = not missing
        return missing

    def _serve(self, incoming: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
        """Be one guest's stream, from its first word to its end."""
        guest = self._admit(incoming, context)
        while True:
            with self._changed:
                if missing := self._missing():
                    self._changed.wait(OFTEN)
                    missing = self._missing()
                book = {name: one.address for name, one in self._here.items() if one.address}
                failed = self._failed
            if failed:
                context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, failed)
            yield json.dumps({"missing": missing, "book": book}).encode()
            if not missing:
                break
        if guest.party in self._meeting.partners:
            yield from guest.outbox

    def _admit(self, incoming: Iterator[bytes], context: grpc.ServicerContext) -> Guest:
        """Let somebody in, or abort its stream."""
        first = next(incoming, b"")
        with self._changed:
            guest = Guest.read(first, incoming)
            shown = context.auth_context() if self._secure else None
            refused = refusal(guest, self._meeting, self._guests, self._here, shown)
            if not refused and context.add_callback(lambda: self._leave(guest)):
                self._here[guest.party] = guest
                self._changed.notify_all()
                return guest
        context.abort(grpc.StatusCode.PERMISSION_DENIED, refused or "gone")
        raise AssertionError("abort raises")

    def _leave(self, guest: Guest) -> None:
        guest.outbox.end(f"{guest.party} has ended the connection, or is gone")
        with self._changed:
            if not self._complete and self._here.get(guest.party) is guest:
                del self._here[guest.party]


class _Threads(Executor):
    """Daemon threads, one a stream: those of the standard library's pool keep a process alive until each stream ends."""

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run it now."""
        future: Future[Any] = Future()

        def work() -> None:
            try:
                future.set_result(function(*args, **kwargs))
            except Exception as error:
                future.set_exception(error)

        threading.Thread(target=work, daemon=True).start()
        return future
