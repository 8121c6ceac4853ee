"""The only door between parties: a tensor goes out, a leaf comes in, a gradient goes back.

This file alone cuts the autograd graph. `send` gives the receiver a copy that starts a graph of its own; what the receiver
learns about that copy, `received.grad`, is all that `return_gradients` takes back to the sender.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby

import torch
from jaxtyping import Float
from torch import Tensor, nn


@dataclass(frozen=True)
class Hop:
    """One crossing of the wire.

    Attributes:
        sender: Who sent.
        receiver: Who received.
        sent: The embedding with the sender's graph behind it; never leaves the sender.
        received: The receiver's leaf; its `grad` is the gradient that goes back.
        depth: How many hops lie behind this one; a gradient is complete once all deeper hops have returned theirs.
    """

    sender: str
    receiver: str
    sent: Tensor
    received: Tensor
    depth: int

    @property
    def link(self) -> str:
        """The direction of the embedding: `sender->receiver`."""
        return f"{self.sender}->{self.receiver}"

    @property
    def back(self) -> str:
        """The direction of the gradient."""
        return f"{self.receiver}->{self.sender}"


class Wire:
    """Carries embeddings forward and gradients back, keeps the hops of the current step, and counts every byte.

    Attributes:
        hops: The hops of the current step, oldest first.
        bytes: Payload bytes since construction, per direction `sender->receiver`: elements × bytes per element.

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

    def __init__(self) -> None:
        self.hops: list[Hop] = []
        self.bytes: Counter[str] = Counter()

    def __getstate__(self) -> dict[str, object]:
        """Leave the hops out of copies: they hold a living graph."""
        return {"hops": [], "bytes": self.bytes}

    def open(self) -> None:
        """Begin a step: forget the hops of the last one."""
        self.hops = []

    def send(self, tensor: Float[Tensor, "*shape"], *, sender: str, receiver: str) -> Float[Tensor, "*shape"]:
        """Carry `tensor` to `receiver` and return the receiver's own leaf. Sending to oneself is free and cuts nothing.

        The leaf is a copy: an in-place operation at the receiver must not reach the sender's activation.
        """
        if sender == receiver:
            return tensor
        received = tensor.detach().clone()
        if torch.is_grad_enabled() and tensor.requires_grad:
            received.requires_grad_()
        depth = 1 + max((hop.depth for hop in self.hops if hop.receiver == sender), default=0)
        self.hops.append(Hop(sender, receiver, tensor, received, depth))
        self.bytes[f"{sender}->{receiver}"] += size(received)
        return received

    @staticmethod
    def traced(features: Mapping[str, Tensor], modules: Mapping[str, nn.Module]) -> dict[str, Tensor]:
        """Return every learning party's block as a leaf, so that an audit sees who else touches it.

        A party with nothing to learn stays as it is: its embedding must not ask for a gradient.
        """
        learns = {party: any(weight.requires_grad for weight in modules[party].parameters()) for party in features}
        return {party: block.detach().requires_grad_(learns[party]) for party, block in features.items()}

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
                if (gradient := hop.received.grad) is not None:
                    self.bytes[hop.back] += size(gradient)
                    sent.append(hop.sent)
                    gradients.append(gradient.clone())
            torch.autograd.backward(sent, gradients)

    def seen_by(self, party: str) -> Iterator[tuple[str, Tensor]]:
        """Yield detached copies of all that the current step brought to `party`: embeddings and returned gradients."""
        for hop in self.hops:
            if hop.receiver == party:
                yield f"embedding {hop.link}", hop.received.detach().clone()
            if hop.sender == party and hop.received.grad is not None:
                yield f"gradient {hop.back}", hop.received.grad.detach().clone()


def size(tensor: Tensor) -> int:
    """Payload bytes of a tensor."""
    return tensor.numel() * tensor.element_size()
