"""How a payload comes from one party to another."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from torch import Tensor

from vertical_lightning.split.codec import Payload


@runtime_checkable
class Transport(Protocol):
    """Carries payloads between parties, of which this process may run some only."""

    def open(self) -> None:
        """Begin a step."""

    def here(self, party: str) -> bool:
        """Whether a party runs in this process."""

    def carry(self, payload: Payload | None, like: Tensor, sender: str, receiver: str) -> Payload | None:
        """Carry an embedding.

        Args:
            payload: What is sent; None if the sender is elsewhere.
            like: A tensor of the embedding's shape and dtype, perhaps on `meta`.
            sender: Who sends.
            receiver: Who receives.

        Returns:
            What the receiver gets, if it is here; if only the sender is, what was sent; else None.
        """

    def carry_back(
        self, payload: Payload | None, like: Tensor, sender: str, receiver: str, forward: Payload | None = None
    ) -> Payload | None:
        """Carry a gradient, as `carry` does; a `payload` of None from here means that the hop took no part in the loss.

        `sender` sends the gradient, and `forward` is what its embedding crossed in.
        """


class LocalTransport:
    """All parties are here: a copy is made, so that an in-place operation at one does not reach the other's tensor."""

    def open(self) -> None:
        """Begin a step."""

    def here(self, party: str) -> bool:
        """All are."""
        return True

    def carry(self, payload: Payload | None, like: Tensor, sender: str, receiver: str) -> Payload | None:
        """Copy a payload."""
        return None if payload is None else {name: part.clone() for name, part in payload.items()}

    def carry_back(
        self, payload: Payload | None, like: Tensor, sender: str, receiver: str, forward: Payload | None = None
    ) -> Payload | None:
        """Copy a payload."""
        return self.carry(payload, like, sender, receiver)
