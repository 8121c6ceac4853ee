"""Where a party goes to others: gRPC's client, with one stream for each party that it dials."""

from __future__ import annotations

import time
from collections.abc import Mapping

import grpc

from vertical_lightning.transport.address import refuse_plaintext
from vertical_lightning.transport.credentials import Credentials
from vertical_lightning.transport.failure import MeetingError, PeerLostError, RefusedError, quoted
from vertical_lightning.transport.form import parse
from vertical_lightning.transport.grpc_link import GrpcLink, reason
from vertical_lightning.transport.grpc_options import METHOD, OPTIONS, SERVICE
from vertical_lightning.transport.guest import hello
from vertical_lightning.transport.knock import knock
from vertical_lightning.transport.link import Meeting
from vertical_lightning.transport.messages import BOOK
from vertical_lightning.transport.outbox import Outbox
from vertical_lightning.transport.patience import Patience

_OURS = (grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.DEADLINE_EXCEEDED)
"""What a door turns a guest away with; it says why."""


class Dialer:
    """Dials other parties' doors until they open.

    Args:
        meeting: Who comes together.
        credentials: None means in the clear.
        insecure: Whether frames may leave this machine in the clear.
        timeout: Seconds that a peer may take nothing.
        patience: How long to try.
    """

    def __init__(
        self, meeting: Meeting, credentials: Credentials | None, insecure: bool, timeout: float, patience: Patience
    ) -> None:
        self._meeting, self._credentials, self._insecure = meeting, credentials, insecure
        self._timeout, self._patience = timeout, patience

    def until_there(self, name: str, address: str) -> None:
        """Wait until somebody listens who will do."""
        if self._credentials is None:
            refuse_plaintext(address.rpartition(":")[0].strip("[]"), self._insecure, "wire=grpc without certificates")
        while why := knock(address, name, self._credentials, self._meeting.party):
            self._try_again(name, address, why)

    def dial(self, name: str, address: str, own: str) -> tuple[GrpcLink, Mapping[str, str]]:
        """Return a link to a party, and who listens where, once that party has all its guests.

        Args:
            name: The party.
            address: Where it listens.
            own: Where this one listens; empty if it does not.
        """
        while True:
            self.until_there(name, address)
            outbox = Outbox(hello(self._meeting, name, own))
            channel = self._channel(name, address)
            call = channel.stream_stream(f"/{SERVICE}/{METHOD}")(iter(outbox))
            call.add_done_callback(
                lambda _, outbox=outbox, name=name: outbox.end(f"{name} has ended the connection, or is gone")
            )
            link = GrpcLink(name, outbox, call, self._timeout, channel.close)
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
        """Wait for the others; return who listens where, or what went wrong before the first word."""
        missing: list[str] = []
        try:
            for message in call:
                words = parse(message, BOOK)
                missing = [one for one in self._meeting.members if one in words["missing"]]
                if not missing:
                    return {one: where for one, where in words["book"].items() if one in self._meeting.members}
                self._patience.wait(missing)
        except grpc.RpcError as error:
            if error.code() in _OURS:
                said = f"{name} at {address} answers {quoted(reason(error))}"
                raise MeetingError(missing[0] if missing else self._meeting.party, said) from error
            if error.code() == grpc.StatusCode.UNIMPLEMENTED:
                raise MeetingError(name, f"what answers at {address} is another gRPC program. Is the port right?") from error
            if not missing:
                return quoted(reason(error))
        except ValueError as error:
            said = f"{self._meeting.party} refuses what {name} says at {address}: {error}. Install the same release everywhere."
            raise RefusedError(name, said) from error
        raise PeerLostError(name, f"{name} has left before everybody had come.")

    def _try_again(self, name: str, address: str, why: str) -> None:
        meeting = self._meeting
        place = "rendezvous its address and port" if name == meeting.host else "that port open to this machine"
        said = f"{name} does not answer at {address} ({why}, {meeting.patience:.0f} s). Is {place}, and has it been started?"
        self._patience.wait([name], said)
        time.sleep(0.1)
