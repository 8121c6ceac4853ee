"""The listening end of gRPC: one stream for each party that connects."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from threading import Thread, Timer

import grpc

from vertical_lightning.distributed.transport.backend import Rendezvous
from vertical_lightning.distributed.transport.deadline import Deadline
from vertical_lightning.distributed.transport.failure import RendezvousError
from vertical_lightning.distributed.transport.grpc.admission import Applicant, refusal
from vertical_lightning.distributed.transport.grpc.credentials import Credentials
from vertical_lightning.distributed.transport.grpc.options import METHOD, OPTIONS, SERVICE
from vertical_lightning.distributed.transport.grpc.stream import GrpcLink
from vertical_lightning.distributed.transport.grpc.stream_threads import StreamThreads

OFTEN = 0.5
"""Seconds between two messages to parties that wait."""

SILENT = 5.0
"""Seconds that a connection may take for its handshake, and a stream for its first message."""

SPARE = 16
"""Streams and connections that may be open beside those of the expected parties: second attempts, and strangers."""


class Server:
    """A listener that waits for certain parties, and tells each who is missing and, at last, who listens where.

    Args:
        rendezvous: Who comes together.
        expected: The parties that connect to this one.
        address: Where to listen, `host:port`; port 0 is any.
        credentials: None means in the clear.
    """

    def __init__(self, rendezvous: Rendezvous, expected: list[str], address: str, credentials: Credentials | None) -> None:
        self._rendezvous, self._expected, self._secure = rendezvous, expected, credentials is not None
        self._here: dict[str, Applicant] = {}
        self._changed = threading.Condition()
        self._complete, self._failed, self._links = False, "", 0
        self._silent: Counter[str] = Counter()
        self._server = grpc.server(
            StreamThreads(),
            options=[
                *OPTIONS,
                ("grpc.so_reuseport", 0),
                ("grpc.server_handshake_timeout_ms", int(1000 * SILENT)),
                ("grpc.max_allowed_incoming_connections", 3 * len(expected) + SPARE),
                ("grpc.max_concurrent_streams", 2),  # of one connection
            ],
            maximum_concurrent_rpcs=2 * len(expected) + SPARE,
        )
        handler = grpc.stream_stream_rpc_method_handler(self._serve)
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, {METHOD: handler}),))
        try:
            if credentials is None:
                self.port = self._server.add_insecure_port(address)
            else:
                self.port = self._server.add_secure_port(address, credentials.of_server())
        except RuntimeError as error:
            said = f"{rendezvous.party} cannot listen at {address}; is that no address of this machine, or is another program, "
            raise RendezvousError(
                rendezvous.party, said + "or this one, running there already? Choose another rendezvous."
            ) from error
        self._server.start()

    def wait(self, deadline: Deadline, timeout: float) -> Mapping[str, GrpcLink]:
        """Return links to the partners that connect here, once all expected parties have come."""
        with self._changed:
            while missing := self._missing():
                try:
                    deadline.wait(missing)
                except RendezvousError as error:
                    self._failed = str(error)
                    self._changed.notify_all()
                    raise
                self._changed.wait(0.2)
            partners = [applicant for name, applicant in self._here.items() if name in self._rendezvous.partners]
            self._links = len(partners)
        self._shut()
        return {
            partner.party: GrpcLink(partner.party, partner.send_queue, partner.incoming, timeout, self._once())
            for partner in partners
        }

    def close(self) -> None:
        """Stop listening; parties that still wait are told why."""
        self._server.stop(1.0).wait(2.0)

    def _shut(self) -> None:
        """Refuse new connections; the streams of admitted parties go on."""
        # A daemon thread, as then is the one that gRPC starts in it, which waits for the last stream: no process is kept by it.
        Thread(target=self._server.stop, args=[threading.TIMEOUT_MAX], daemon=True).start()

    def _once(self) -> Callable[[], None]:
        """Return what a link does when it closes: the last one closes the server."""
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
        """Name the parties that have not come; once all have, none is missing any more, even if one leaves."""
        missing = [] if self._complete else [member for member in self._expected if member not in self._here]
        self._complete = not missing
        return missing

    def _serve(self, incoming: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
        """Serve one stream: admit its party, tell it who is missing, then send what the link queues."""
        applicant = self._admit(incoming, context)
        while True:
            with self._changed:
                if missing := self._missing():
                    self._changed.wait(OFTEN)
                    missing = self._missing()
                book = {name: applicant.address for name, applicant in self._here.items() if applicant.address}
                failed = self._failed
            if failed:
                context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, failed)
            yield json.dumps({"missing": missing, "book": book}).encode()
            if not missing:
                break
        if applicant.party in self._rendezvous.partners:
            yield from applicant.send_queue

    def _admit(self, incoming: Iterator[bytes], context: grpc.ServicerContext) -> Applicant:
        """Admit the party behind a stream, or abort the stream with the reason."""
        first = self._first_message(incoming, context)
        with self._changed:
            applicant = Applicant.read(first, incoming)
            shown = context.auth_context() if self._secure else None
            refused = refusal(applicant, self._rendezvous, self._expected, self._here, shown)
            if not refused and context.add_callback(lambda: self._leave(applicant)):
                self._here[applicant.party] = applicant
                self._changed.notify_all()
                return applicant
        context.abort(grpc.StatusCode.PERMISSION_DENIED, refused or "gone")
        raise AssertionError("abort raises")

    def _first_message(self, incoming: Iterator[bytes], context: grpc.ServicerContext) -> bytes:
        """Wait for the first message: at most SILENT seconds, and for a limited number of streams per address."""
        where = context.peer().rpartition(":")[0]
        with self._changed:
            self._silent[where] += 1
            many = self._silent[where] > len(self._expected) + SPARE // 2
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

    def _leave(self, applicant: Applicant) -> None:
        applicant.send_queue.end(f"{applicant.party} has ended the connection, or is gone")
        with self._changed:
            if not self._complete and self._here.get(applicant.party) is applicant:
                del self._here[applicant.party]
