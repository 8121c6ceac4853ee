"""The only door between parties: a tensor goes out, a leaf comes in, a gradient goes back.

This file alone cuts the autograd graph. `send` gives the receiver a copy that starts a graph of its own; what the receiver
learns about that copy, `received.grad`, is all that `return_gradients` takes back to the sender. Where the parties run in
processes of their own, a `Transport` carries the copies, and tensors that are elsewhere are on the device `meta`: shapes, no
numbers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from vertical_lightning.schema import Shape


@dataclass(eq=False)
class Hop:
    """One crossing of the wire. What is elsewhere is on the device `meta`.

    Attributes:
        sender: Who sent.
        receiver: Who received.
        sent: The embedding with the sender's graph behind it; never leaves the sender.
        received: The receiver's leaf; its `grad` is the gradient that goes back.
        depth: How many hops lie behind this one; a gradient is complete once all deeper hops have returned theirs.
        returned: The gradient as it came back to the sender; None before that, or if the hop took no part in the loss.
    """

    sender: str
    receiver: str
    sent: Tensor
    received: Tensor
    depth: int
    returned: Tensor | None = None

    @property
    def embedding(self) -> Tensor | None:
        """What went forward, if one of its ends is here."""
        return next((tensor for tensor in (self.received, self.sent) if not tensor.is_meta), None)

    @property
    def gradient(self) -> Tensor | None:
        """What came back, or is to, if there is such a thing and one of its ends is here."""
        return next((grad for grad in (self.received.grad, self.returned) if grad is not None and not grad.is_meta), None)

    @property
    def link(self) -> str:
        """The direction of the embedding: `sender->receiver`."""
        return f"{self.sender}->{self.receiver}"

    @property
    def back(self) -> str:
        """The direction of the gradient."""
        return f"{self.receiver}->{self.sender}"


@runtime_checkable
class Transport(Protocol):
    """How a tensor comes from one party to another."""

    def open(self) -> None:
        """Begin a step."""

    def ends_here(self, sender: str, receiver: str) -> bool:
        """Whether one of the two is in this process."""

    def carry(self, tensor: Tensor, sender: str, receiver: str) -> Tensor:
        """Return what the receiver gets; on `meta` if it is elsewhere."""

    def carry_back(self, gradient: Tensor | None, sent: Tensor, sender: str, receiver: str) -> Tensor | None:
        """Return what comes back to `receiver` for what it `sent`; on `meta` if it is elsewhere, None if nothing does."""


class LocalTransport:
    """All parties are here: a copy is made, so that an in-place operation at one does not reach the other's tensor."""

    def open(self) -> None:
        """Begin a step."""

    def ends_here(self, sender: str, receiver: str) -> bool:
        """All are."""
        return True

    def carry(self, tensor: Tensor, sender: str, receiver: str) -> Tensor:
        """Copy an embedding."""
        return tensor.clone()

    def carry_back(self, gradient: Tensor | None, sent: Tensor, sender: str, receiver: str) -> Tensor | None:
        """Copy a gradient."""
        return None if gradient is None else gradient.clone()


class Wire:
    """Carries embeddings forward and gradients back, keeps the hops of the current step, and counts every byte.

    Args:
        transport: How tensors cross; None if all parties are in this process.

    Attributes:
        hops: The hops of the current step, oldest first.
        bytes: Payload bytes since construction, per direction `sender->receiver`: elements × bytes per element. Of hops that
            begin or end in this process.

    >>> wire = Wire()
    >>> weight = torch.tensor([2.0], requires_grad=True)
    >>> received = wire.send(3 * weight, sender="alice", receiver="bob")
    >>> (received**2).sum().backward()   # bob's graph ends at his leaf …
    >>> weight.grad is None
    True
    >>> wire.return_gradients()          # … until the gradient crosses back
    >>> weight.grad, dict(wire.bytes)
    (tensor([36.]), {'alice->bob': 4, 'bob->alice': 4})
    """

    def __init__(self, transport: Transport | None = None) -> None:
        self.transport = transport or LocalTransport()
        self.hops: list[Hop] = []
        self.bytes: Counter[str] = Counter()

    def __getstate__(self) -> dict[str, object]:
        """Leave the hops out of copies: they hold a living graph."""
        return {"transport": self.transport, "hops": [], "bytes": self.bytes}

    def open(self) -> None:
        """Begin a step: forget the hops of the last one."""
        self.hops = []
        self.transport.open()

    def send(self, tensor: Float[Tensor, "*shape"], *, sender: str, receiver: str) -> Float[Tensor, "*shape"]:
        """Carry `tensor` to `receiver` and return the receiver's own leaf. Sending to oneself is free and cuts nothing.

        The leaf is a copy: an in-place operation at the receiver must not reach the sender's activation.
        """
        if sender == receiver:
            return tensor
        received = self.transport.carry(tensor.detach(), sender, receiver)
        if torch.is_grad_enabled() and tensor.requires_grad:
            received.requires_grad_()
        depth = 1 + max((hop.depth for hop in self.hops if hop.receiver == sender), default=0)
        self.hops.append(Hop(sender, receiver, tensor, received, depth))
        self.count(received, sender, receiver)
        return received

    def count(self, tensor: Tensor, sender: str, receiver: str) -> None:
        """Count the bytes of what crosses, if it begins or ends here."""
        if self.transport.ends_here(sender, receiver):
            self.bytes[f"{sender}->{receiver}"] += size(tensor)

    @staticmethod
    def traced(features: Mapping[str, Tensor], modules: Mapping[str, nn.Module]) -> dict[str, Tensor]:
        """Return every learning party's block as a leaf, so that an audit sees which parties' graphs reach it.

        A party with nothing to learn stays as it is: its embedding must not ask for a gradient.
        """
        learns = {party: any(weight.requires_grad for weight in modules[party].parameters()) for party in features}
        leaves = {party: block.detach() for party, block in features.items()}
        return {party: leaf.requires_grad_(learns[party] and leaf.is_floating_point()) for party, leaf in leaves.items()}

    def return_gradients(self) -> None:
        """Carry every leaf's gradient back and let its sender go on with backward, deepest hops first.

        Hops of one depth go back in one call: they may stand on one graph, which can be walked only once. Hops of unequal
        depth must not share one.
        """
        answered = sorted((hop for hop in self.hops if hop.received.requires_grad), key=lambda hop: -hop.depth)
        for _, level in groupby(answered, key=lambda hop: hop.depth):
            sent, gradients = [], []
            for hop in level:
                # A leaf without a gradient did not take part in the loss: there is nothing to send back.
                hop.returned = self.transport.carry_back(hop.received.grad, hop.sent, hop.receiver, hop.sender)
                if hop.returned is not None:
                    self.count(hop.returned, hop.receiver, hop.sender)
                    if not hop.returned.is_meta:
                        sent.append(hop.sent)
                        gradients.append(hop.returned)
            torch.autograd.backward(sent, gradients)

    def seen_by(self, party: str) -> Iterator[tuple[str, Tensor]]:
        """Yield detached copies of all that the current step brought to `party`: embeddings and returned gradients."""
        for hop in self.hops:
            if hop.receiver == party and not hop.received.is_meta:
                yield f"embedding {hop.link}", hop.received.detach().clone()
            if hop.sender == party and hop.gradient is not None:
                yield f"gradient {hop.back}", hop.gradient.detach().clone()


def meta_like(rows: int, shape: Shape, dtype: torch.dtype, of: Iterable[Tensor]) -> Tensor:
    """Return a tensor on `meta` for what a party in another process has computed of these; it learns if one of them does."""
    learns = torch.is_grad_enabled() and any(tensor.requires_grad for tensor in of)
    return torch.empty(rows, *shape, dtype=dtype, device="meta", requires_grad=learns)


def size(tensor: Tensor) -> int:
    """Payload bytes of a tensor."""
    return tensor.numel() * tensor.element_size()
