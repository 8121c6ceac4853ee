"""Tensors between processes: only the hops that the topology declares, each with its declared shape and dtype."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from vertical_lightning.distributed.transport.failure import RefusedError
from vertical_lightning.distributed.transport.frame import Kind
from vertical_lightning.distributed.transport.peer import Peer
from vertical_lightning.schema import Shape
from vertical_lightning.split.codec import PLAIN, Codec, Payload


@dataclass(frozen=True)
class Declared:
    """One way of one hop: its number in frames, and a row's shape."""

    what: str
    tag: int
    row: Shape


class RemoteTransport:
    """The transport of a `Wire` whose other parties run in processes of their own.

    Of every hop one end, or none, is here. What is sent from here goes to the peer, and what arrives here is checked before
    anything is computed with it; elsewhere a tensor of the right shape on the device `meta` stands for what nobody here sees.

    Args:
        party: The one party that is here.
        peers: The ways to those that it talks to.
        hops: The shape of a row on each way (sender, receiver) of embeddings; their gradients come back. Nothing else crosses.
        rows: Most rows of a batch.
        dtypes: Of the numbers.
        codec: Says how they are written; all ends have the same.

    Attributes:
        device: Where received tensors are put.
    """

    def __init__(
        self,
        party: str,
        peers: Mapping[str, Peer],
        hops: Mapping[tuple[str, str], Shape],
        rows: int,
        dtypes: Collection[torch.dtype],
        codec: Codec = PLAIN,
    ) -> None:
        self.party, self.peers = party, peers
        self.device = torch.device("cpu")
        self._rows, self._dtypes, self._codec = rows, frozenset(dtypes), codec
        self._declared: dict[tuple[str, str, bool], Declared] = {}
        self._crossed: set[int] = set()
        for number, ((sender, receiver), row) in enumerate(hops.items()):
            self._declared[sender, receiver, False] = Declared(f"the embedding {sender}->{receiver}", 2 * number, row)
            self._declared[receiver, sender, True] = Declared(f"the gradient {receiver}->{sender}", 2 * number + 1, row)

    def open(self) -> None:
        """Begin a step: every hop may be crossed once, forth and back."""
        self._crossed = set()

    def here(self, party: str) -> bool:
        """Whether a party is the one in this process."""
        return party == self.party

    def carry(self, payload: Payload | None, like: Tensor, sender: str, receiver: str) -> Payload | None:
        """Carry an embedding, if it comes from here or is for this party."""
        return self._cross(payload, like, sender, receiver, None, back=False)

    def carry_back(
        self, payload: Payload | None, like: Tensor, sender: str, receiver: str, forward: Payload | None = None
    ) -> Payload | None:
        """Carry a gradient, if it comes from here or is for this party; None if the hop took no part in the loss."""
        return self._cross(payload, like, sender, receiver, forward, back=True)

    def _cross(
        self, payload: Payload | None, like: Tensor, sender: str, receiver: str, forward: Payload | None, *, back: bool
    ) -> Payload | None:
        """Send, receive, or do nothing, as this party's role is; an empty message means None."""
        if self.party not in (sender, receiver):
            return None
        way = self._declaration(sender, receiver, back)
        shape = tuple(like.shape)
        if shape[1:] != way.row or shape[0] > self._rows or like.dtype not in self._dtypes:
            raise RefusedError(
                sender,
                f"{self.party} refuses {way.what}: it is {list(shape)} of {like.dtype}; it must be up to {self._rows} rows of "
                f"{list(way.row)}, of {' or '.join(sorted(map(str, self._dtypes)))}.",
            )
        layout = self._codec.layout(shape, like.dtype, forward)
        if sender == self.party:
            self._send(payload, layout, way, receiver)
            return payload
        payload = self._receive(layout, way, sender, back)
        if payload is not None:
            try:
                self._codec.check(payload, shape)
            except ValueError as error:
                raise self.peers[sender].refused(f"{way.what}: {error}") from error
        return payload

    def _declaration(self, sender: str, receiver: str, back: bool) -> Declared:
        """Return the declared hop, and mark it as crossed in this step."""
        way = self._declared.get((sender, receiver, back))
        if way is None:
            allowed = ", ".join(declared.what for declared in self._declared.values()) or "nothing"
            asked = f"{'gradient' if back else 'tensor'} {sender}->{receiver}"
            raise RefusedError(self.party, f"{self.party} refuses to pass on a {asked}: the topology declares {allowed}.")
        if way.tag in self._crossed:
            raise RefusedError(self.party, f"{self.party} refuses to pass on {way.what} twice in one step.")
        self._crossed.add(way.tag)
        return way

    def _send(self, payload: Payload | None, layout: Payload, way: Declared, receiver: str) -> None:
        """Send the parts of a payload in the order of the layout."""
        if payload is None:
            self.peers[receiver].send(Kind.TENSOR, torch.empty(0, dtype=torch.uint8), way.tag, torch.empty(0))
            return
        for name, part in payload.items():
            self._check(tuple(part.shape), part.dtype, layout.get(name), way, self.party)
        for name in layout:
            part = payload[name].cpu().contiguous()
            self.peers[receiver].send(Kind.TENSOR, part.reshape(-1).view(torch.uint8), way.tag, part)

    def _receive(self, layout: Payload, way: Declared, sender: str, back: bool) -> Payload | None:
        """Wait for the parts of a payload, and refuse what is not expected."""
        peer, payload = self.peers[sender], Payload()
        for name, expected in layout.items():
            header, message = peer.receive(Kind.TENSOR, way.what, expected.numel() * 8)
            if header.tag != way.tag:
                raise peer.refused(f"hop {header.tag} came where {way.what}, {way.tag}, was due")
            if back and not payload and header.total == 0:
                return None
            self._check(header.shape, header.dtype, expected, way, sender)
            if len(message) != math.prod(header.shape) * header.dtype.itemsize:
                raise peer.refused(f"{way.what} has {len(message):,} bytes, which are not those of its shape")
            part = message.view(header.dtype).reshape(header.shape)
            if part.is_floating_point() and not torch.isfinite(part.sum()) and not torch.isfinite(part).all():
                # a sum may overflow by itself
                raise peer.refused(
                    f"{way.what} has numbers that are not finite. A lower learning rate or clip_norm=1.0 may help"
                )
            payload[name] = part.to(self.device)
        return payload

    def _check(self, shape: Shape, dtype: torch.dtype, expected: Tensor | None, way: Declared, sender: str) -> None:
        """Refuse a part whose shape or dtype is not that of the layout; under mixed precision numbers may be of two dtypes."""
        allowed = frozenset() if expected is None else frozenset({expected.dtype})
        allowed = self._dtypes if allowed <= self._dtypes else allowed
        if expected is None or shape != tuple(expected.shape) or dtype not in allowed:
            must = "no part of it" if expected is None else f"{list(expected.shape)}"
            raise RefusedError(
                sender,
                f"{self.party} refuses {way.what}: it is {list(shape)} of {dtype}; it must be {must} of "
                f"{' or '.join(sorted(map(str, allowed)))}.",
            )
