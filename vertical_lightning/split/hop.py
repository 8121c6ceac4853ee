"""One crossing of the wire, forth and back."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor

from vertical_lightning.split.codec import Payload
from vertical_lightning.split.guard import End


@dataclass(eq=False)
class Hop:
    """One crossing of the wire. What is elsewhere is on the device `meta`, or None.

    Attributes:
        sender: Who sent.
        receiver: Who received.
        sent: The embedding with the sender's graph behind it; never leaves the sender.
        received: The receiver's leaf; its `grad` is what is to go back.
        depth: How many hops lie behind this one; a gradient is complete once all deeper hops have returned theirs.
        embedding: What went forward, as its receiver reads it; None if neither end is here.
        gradient: What came back, as the sender reads it; None before that, if the hop took no part in the loss, or if neither
            end is here.
        payload: What the embedding crossed in.
        penalties: What the guards at either end charge their own party, by party.
    """

    sender: str
    receiver: str
    sent: Tensor
    received: Tensor
    depth: int
    embedding: Tensor | None = None
    gradient: Tensor | None = None
    payload: Payload | None = None
    penalties: dict[str, Tensor] = field(default_factory=dict)

    @property
    def link(self) -> str:
        """The direction of the embedding: `sender->receiver`."""
        return f"{self.sender}->{self.receiver}"

    @property
    def back(self) -> str:
        """The direction of the gradient."""
        return f"{self.receiver}->{self.sender}"

    @property
    def ends(self) -> tuple[End, End]:
        """The sender's end and the receiver's."""
        return End(self.sender, self.sender, self.receiver), End(self.receiver, self.sender, self.receiver)
