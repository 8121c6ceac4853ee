"""All that passes between this party and one other: messages out of frames."""

from __future__ import annotations

import json
from typing import Any

import torch
from torch import Tensor

from vertical_lightning.distributed.transport.form import Form, parse
from vertical_lightning.distributed.transport.frame import HEADER, Header, Kind, as_tensor
from vertical_lightning.distributed.transport.line import Line

CONTROL = 2**20
"""Most bytes of a control message."""


class Peer(Line):
    """Sends and receives messages; see `Line` for what it is made with."""

    def receive(self, kind: Kind, what: str, most: int) -> tuple[Header, Tensor]:
        """Wait for a message of at most so many bytes.

        Args:
            kind: What is due.
            what: The same in words.
            most: Bytes.

        Raises:
            RefusedError: Something else came.
            WireError: The peer is gone, or stopped with an error of its own.
        """
        first, frame = self.next_frame(what)
        if first.kind != kind or first.total > most:
            came = f"a message {first.kind.name} of {first.total:,} bytes"
            raise self.refused(f"{came} came where {what} was due, of {kind.name} and at most {most:,} bytes")
        parts = [frame[HEADER : HEADER + first.size]]
        missing = first.total - first.size
        while missing > 0:
            later, frame = self.next_frame(what)
            if (later.kind, later.tag, later.total) != (first.kind, first.tag, first.total) or not 0 < later.size <= missing:
                raise self.refused(f"the parts of {what} do not fit together")
            parts.append(frame[HEADER : HEADER + later.size])
            missing -= later.size
        return first, parts[0] if len(parts) == 1 else torch.cat(parts)

    def tell(self, **said: Any) -> None:
        """Send a control message."""
        self.send(Kind.CONTROL, as_tensor(json.dumps(said).encode()))

    def hear(self, what: str, form: Form) -> Any:
        """Wait for a control message of a form."""
        _, message = self.receive(Kind.CONTROL, what, CONTROL)
        return self.parsed(message, form, what)

    def parsed(self, message: Tensor, form: Form, what: str) -> Any:
        """Read words of the peer.

        Raises:
            RefusedError: They are not of the form.
        """
        try:
            return parse(message.numpy().tobytes(), form)
        except ValueError as error:
            raise self.refused(f"{what} is not what it must be: {error}") from error
