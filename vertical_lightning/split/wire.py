"""The only door between parties: a tensor goes out, a leaf comes in, a gradient goes back.

This file alone cuts the autograd graph. `send` gives the receiver a copy that starts a graph of its own; what the receiver
learns about that copy, `received.grad`, is all that `return_gradients` takes back to the sender. Guards stand at either end, a
codec writes what crosses. Where the parties run in processes of their own, a `Transport` carries the payloads, and tensors that
are elsewhere are on the device `meta`: shapes, no numbers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby

import torch
from jaxtyping import Float
from torch import Tensor, nn

from vertical_lightning.schema import Shape
from vertical_lightning.split.codec import PLAIN, Codec, Payload
from vertical_lightning.split.guard import End, Guards, Own
from vertical_lightning.split.hop import Hop
from vertical_lightning.split.transport import LocalTransport, Transport


class Wire:
    """Carries embeddings forward and gradients back, keeps the hops of the current step, and counts every byte.

    Args:
        transport: How payloads cross; None if all parties are in this process.
        guards: By party, what it does at its own ends.
        codecs: By end, how it writes and reads; ends that are not listed send the tensor itself.

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

    def __init__(
        self,
        transport: Transport | None = None,
        guards: Mapping[str, Guards] | None = None,
        codecs: Mapping[End, Codec] | None = None,
    ) -> None:
        self.transport = transport or LocalTransport()
        self.guards, self.codecs = guards or {}, codecs or {}
        self.hops: list[Hop] = []
        self.own: Mapping[str, Own] = {}
        self.bytes: Counter[str] = Counter()

    def __getstate__(self) -> dict[str, object]:
        """Leave the hops out of copies: they hold a living graph."""
        return {**self.__dict__, "hops": [], "own": {}}

    def open(self, own: Mapping[str, Own] | None = None) -> None:
        """Begin a step: forget the hops of the last one, and take each party's own rows for its guards."""
        self.hops, self.own = [], own or {}
        self.transport.open()

    def send(self, tensor: Float[Tensor, "*shape"], *, sender: str, receiver: str) -> Float[Tensor, "*shape"]:
        """Carry `tensor` to `receiver` and return the receiver's own leaf. Sending to oneself is free and cuts nothing.

        The leaf is a copy: an in-place operation at the receiver must not reach the sender's activation.
        """
        if sender == receiver:
            return tensor
        learns = torch.is_grad_enabled() and tensor.requires_grad  # of the stages alone: the receiver knows no guards
        depth = 1 + max((hop.depth for hop in self.hops if hop.receiver == sender), default=0)
        hop = Hop(sender, receiver, tensor, tensor, depth)
        if sender in self.guards:
            hop.sent = self.guards[sender].embedding(tensor, hop.ends[0])
        hop.received = self.cross(hop)
        if learns:
            hop.received.requires_grad_()
        self.hops.append(hop)
        return hop.received

    def cross(self, hop: Hop) -> Tensor:
        """Carry what is sent, and return what arrives; on `meta` if the receiver is elsewhere."""
        sent = hop.sent.detach()
        payload = self.codec(hop.sender, hop).encode(sent) if self.transport.here(hop.sender) else None
        hop.payload = self.transport.carry(payload, sent, hop.sender, hop.receiver)
        if hop.payload is not None:
            self.count(hop.payload, hop.link)
            here = self.transport.here(hop.receiver)
            codec = self.codec(hop.receiver if here else hop.sender, hop)
            hop.embedding = codec.decode(hop.payload, sent.shape, sent.dtype)
            if here:
                return hop.embedding
        return torch.empty_like(sent, device="meta")

    def penalize(self) -> None:
        """Ask the guards at both ends of every hop what they charge, once all hops are sent and before anything returns."""
        for hop in self.hops if self.guards else ():
            for end, tensor in zip(hop.ends, (hop.sent, hop.received), strict=True):
                if end.party in self.guards:
                    term = self.guards[end.party].penalty(tensor, end, self.own.get(end.party, Own()))
                    if term is not None:
                        hop.penalties[end.party] = term

    def return_gradients(self) -> None:
        """Carry every leaf's gradient back and let its sender go on with backward, deepest hops first.

        Hops of one depth go back in one call: they may stand on one graph, which can be walked only once. Hops of unequal
        depth must not share one.
        """
        answered = sorted((hop for hop in self.hops if hop.received.requires_grad), key=lambda hop: -hop.depth)
        for _, level in groupby(answered, key=lambda hop: hop.depth):
            ends: list[Tensor] = []
            gradients: list[Tensor | None] = []
            for hop in level:
                if hop.penalties:
                    charge_receiver(hop)
                hop.gradient = self.answer(hop)
                if hop.gradient is not None and hop.sent.requires_grad and not hop.sent.is_meta:
                    ends.append(hop.sent)
                    gradients.append(hop.gradient)
                if hop.sender in hop.penalties:
                    ends.append(hop.penalties[hop.sender])
                    gradients.append(None)
            torch.autograd.backward(ends, gradients)

    def answer(self, hop: Hop) -> Tensor | None:
        """Carry a leaf's gradient back, and return it as the sender reads it; None if there is none."""
        gradient, payload = hop.received.grad, None
        # A leaf without a gradient did not take part in the loss: there is nothing to send back.
        if gradient is not None and self.transport.here(hop.receiver):
            if hop.receiver in self.guards:
                # A copy: gradients of a sum share storage, and a guard may write in place.
                own = self.own.get(hop.receiver, Own())
                gradient = self.guards[hop.receiver].gradient(gradient.clone(), hop.ends[1], own)
            payload = self.codec(hop.receiver, hop).encode(gradient, hop.payload)
        payload = self.transport.carry_back(payload, hop.sent, hop.receiver, hop.sender, hop.payload)
        if payload is None:
            return None
        self.count(payload, hop.back)
        codec = self.codec(hop.sender if self.transport.here(hop.sender) else hop.receiver, hop)
        return codec.decode(payload, hop.sent.shape, hop.sent.dtype, hop.payload)

    def codec(self, party: str, hop: Hop) -> Codec:
        """Return how one end of a hop writes and reads."""
        return self.codecs.get(End(party, hop.sender, hop.receiver), PLAIN) if self.codecs else PLAIN

    def count(self, payload: Payload, link: str) -> None:
        """Count the bytes of what crosses."""
        for part in payload.values():
            self.bytes[link] += size(part)

    @staticmethod
    def traced(features: Mapping[str, Tensor], modules: Mapping[str, nn.Module]) -> dict[str, Tensor]:
        """Return every learning party's block as a leaf, so that an audit sees which parties' graphs reach it.

        A party with nothing to learn stays as it is: its embedding must not ask for a gradient.
        """
        learns = {party: any(weight.requires_grad for weight in modules[party].parameters()) for party in features}
        leaves = {party: block.detach() for party, block in features.items()}
        return {party: leaf.requires_grad_(learns[party] and leaf.is_floating_point()) for party, leaf in leaves.items()}

    def seen_by(self, party: str) -> Iterator[tuple[str, Tensor]]:
        """Yield detached copies of all that the current step brought to `party`: embeddings and returned gradients."""
        for hop in self.hops:
            if hop.receiver == party and hop.embedding is not None:
                yield f"embedding {hop.link}", hop.embedding.detach().clone()
            if hop.sender == party and hop.gradient is not None:
                yield f"gradient {hop.back}", hop.gradient.detach().clone()


def charge_receiver(hop: Hop) -> None:
    """Add the gradient of what the receiver's guards charge to the leaf's; out of place: gradients of a sum share storage."""
    if hop.receiver in hop.penalties:
        before, hop.received.grad = hop.received.grad, None
        torch.autograd.backward(hop.penalties[hop.receiver])
        if before is not None:
            hop.received.grad = before if hop.received.grad is None else before + hop.received.grad


def meta_like(rows: int, shape: Shape, dtype: torch.dtype, of: Iterable[Tensor]) -> Tensor:
    """Return a tensor on `meta` for what a party in another process has computed of these; it learns if one of them does."""
    learns = torch.is_grad_enabled() and any(tensor.requires_grad for tensor in of)
    return torch.empty(rows, *shape, dtype=dtype, device="meta", requires_grad=learns)


def size(tensor: Tensor) -> int:
    """Payload bytes of a tensor."""
    return tensor.numel() * tensor.element_size()
