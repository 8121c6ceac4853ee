"""The connecting end of gRPC: one stream for each party that this one connects to."""

from __future__ import annotations

import time
from collections.abc import Mapping

import grpc

from vertical_lightning.distributed.transport.address import refuse_plaintext
from vertical_lightning.distributed.transport.backend import Rendezvous
from vertical_lightning.distributed.transport.deadline import Deadline
from vertical_lightning.distributed.transport.failure import PeerLostError, RefusedError, RendezvousError, quoted
from vertical_lightning.distributed.transport.form import parse
from vertical_lightning.distributed.transport.grpc.admission import hello
from vertical_lightning.distributed.transport.grpc.credentials import Credentials
from vertical_lightning.distributed.transport.grpc.options import METHOD, OPTIONS, SERVICE
from vertical_lightning.distributed.transport.grpc.probe import probe
from vertical_lightning.distributed.transport.grpc.stream import GrpcLink, reason
from vertical_lightning.distributed.transport.messages import BOOK
from vertical_lightning.distributed.transport.send_queue import SendQueue

_OURS = (grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.DEADLINE_EXCEEDED)
"""Status codes with which a server refuses an applicant; its message says why."""


class Client:
    """Connects to other parties' servers, and tries again until they are there.

    Args:
        rendezvous: Who comes together.
        credentials: None means in the clear.
        insecure: Whether frames may leave this machine in the clear.
        timeout: Seconds that a peer may take nothing.
        deadline: How long to try.
    """

    def __init__(
        self, rendezvous: Rendezvous, credentials: Credentials | None, insecure: bool, timeout: float, deadline: Deadline
    ) -> None:
        self._rendezvous, self._credentials, self._insecure = rendezvous, credentials, insecure
        self._timeout, self._deadline = timeout, deadline

    def until_there(self, name: str, address: str) -> None:
        """Wait until the party listens there, and can be talked to."""
        if self._credentials is None:
            refuse_plaintext(address.rpartition(":")[0].strip("[]"), self._insecure, "execution=grpc without certificates")
        while why := probe(address, name, self._credentials, self._rendezvous.party):
            self._try_again(name, address, why)

    def connect(self, name: str, address: str, own: str) -> tuple[GrpcLink, Mapping[str, str]]:
        """Return a link to a party, and who listens where, once all parties that it expects have come.

        Args:
            name: The party.
            address: Where it listens.
            own: Where this one listens; empty if it does not.
        """
        while True:
            self.until_there(name, address)
            send_queue = SendQueue(hello(self._rendezvous, name, own))
            channel = self._channel(name, address)
            call = channel.stream_stream(f"/{SERVICE}/{METHOD}")(iter(send_queue))
            call.add_done_callback(
                lambda _, send_queue=send_queue, name=name: send_queue.end(f"{name} has ended the connection, or is gone")
            )
            link = GrpcLink(name, send_queue, call, self._timeout, channel.close)
            try:
                book = self._book(call, name, address)
            except BaseException:
                link.abandon()
                raise
            if isinstance(book, str):
                link.abandon()
                self._try_again(name, address, book)
            else:
                return link, book

    def _channel(self, name: str, address: str) -> grpc.Channel:
        if self._credentials is None:
            return grpc.insecure_channel(address, OPTIONS)
        # the certificate counts, not the address
        return grpc.secure_channel(address, self._credentials.of_client(), [*OPTIONS, ("grpc.ssl_target_name_override", name)])

    def _book(self, call: grpc.Call, name: str, address: str) -> Mapping[str, str] | str:
        """Wait until the server has all its parties; return who listens where, or what went wrong before the first message."""
        missing: list[str] = []
        try:
            for message in call:
                words = parse(message, BOOK)
                missing = [member for member in self._rendezvous.members if member in words["missing"]]
                if not missing:
                    return {member: where for member, where in words["book"].items() if member in self._rendezvous.members}
                self._deadline.wait(missing)
        except grpc.RpcError as error:
            if error.code() in _OURS:
                said = f"{name} at {address} answers {quoted(reason(error))}"
                raise RendezvousError(missing[0] if missing else self._rendezvous.party, said) from error
            if error.code() == grpc.StatusCode.UNIMPLEMENTED:
                raise RendezvousError(name, f"what answers at {address} is another gRPC program. Is the port right?") from error
            if not missing:
                return quoted(reason(error))
        except ValueError as error:
            said = (
                f"{self._rendezvous.party} refuses what {name} says at {address}: {error}. Install the same release everywhere."
            )
            raise RefusedError(name, said) from error
        raise PeerLostError(name, f"{name} has left before everybody had come.")

    def _try_again(self, name: str, address: str, why: str) -> None:
        rendezvous = self._rendezvous
        place = "rendezvous its address and port" if name == rendezvous.host else "that port open to this machine"
        said = f"{name} does not answer at {address} ({why}, {rendezvous.patience:.0f} s). Is {place}, and has it been started?"
        self._deadline.wait([name], said)
        time.sleep(0.1)
