"""Where a party lets others in: gRPC's server, with one stream for each party that dials."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from threading import Thread, Timer

import grpc

from vertical_lightning.transport.credentials import Credentials
from vertical_lightning.transport.failure import MeetingError
from vertical_lightning.transport.grpc_link import GrpcLink
from vertical_lightning.transport.grpc_options import METHOD, OPTIONS, SERVICE
from vertical_lightning.transport.guest import Guest, refusal
from vertical_lightning.transport.link import Meeting
from vertical_lightning.transport.patience import Patience
from vertical_lightning.transport.stream_threads import StreamThreads

OFTEN = 0.5
"""Seconds between two words to those who wait."""

SILENT = 5.0
"""Seconds that whoever comes may take for a handshake, and for a first word."""

SPARE = 16
"""Streams and connections that may be open beside those of the guests: of who tries again, and of strangers."""


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
        self._silent: Counter[str] = Counter()
        self._server = grpc.server(
            StreamThreads(),
            options=[
                *OPTIONS,
                ("grpc.so_reuseport", 0),
                ("grpc.server_handshake_timeout_ms", int(1000 * SILENT)),
                ("grpc.max_allowed_incoming_connections", 3 * len(guests) + SPARE),
                ("grpc.max_concurrent_streams", 2),  # of one connection
            ],
            maximum_concurrent_rpcs=2 * len(guests) + SPARE,
        )
        handler = grpc.stream_stream_rpc_method_handler(self._serve)
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, {METHOD: handler}),))
        try:
            if credentials is None:
                self.port = self._server.add_insecure_port(address)
            else:
                self.port = self._server.add_secure_port(address, credentials.of_server())
        except RuntimeError as error:
            said = f"{meeting.party} cannot listen at {address}; is that no address of this machine, or is another program, "
            raise MeetingError(
                meeting.party, said + "or this one, running there already? Choose another rendezvous."
            ) from error
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
        self._shut()
        return {one.party: GrpcLink(one.party, one.outbox, one.incoming, timeout, self._once()) for one in guests}

    def close(self) -> None:
        """Stop listening; those who still wait are told why."""
        self._server.stop(1.0).wait(2.0)

    def _shut(self) -> None:
        """Let nobody in any more; the streams of those who are inside go on."""
        # A daemon thread, as then is the one that gRPC starts in it, which waits for the last stream: no process is kept by it.
        Thread(target=self._server.stop, args=[threading.TIMEOUT_MAX], daemon=True).start()

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
        first = self._first_word(incoming, context)
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

    def _first_word(self, incoming: Iterator[bytes], context: grpc.ServicerContext) -> bytes:
        """Wait for the first word, not for ever, and of one address not for many."""
        where = context.peer().rpartition(":")[0]
        with self._changed:
            self._silent[where] += 1
            many = self._silent[where] > len(self._guests) + SPARE // 2
        silent = Timer(SILENT, context.cancel)
        silent.daemon = True
        silent.start()
        try:
            if many:
                context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "too many streams from this address say nothing")
            return next(incoming, b"")
        finally:
            silent.cancel()
            with self._changed:
                self._silent[where] -= 1

    def _leave(self, guest: Guest) -> None:
        guest.outbox.end(f"{guest.party} has ended the connection, or is gone")
        with self._changed:
            if not self._complete and self._here.get(guest.party) is guest:
                del self._here[guest.party]
