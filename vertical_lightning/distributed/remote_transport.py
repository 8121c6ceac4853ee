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

    Attributes:
        device: Where received tensors are put.
    """

    def __init__(self, party: str, peers: Mapping[str, Peer]) -> None:
        self.party, self.peers = party, peers
        self.device = torch.device("cpu")
        self._declared: dict[tuple[str, str, bool], Declared] = {}
        self._crossed: set[int] = set()
        self._rows, self._dtypes = 0, frozenset[torch.dtype]()

    def declare(self, hops: Mapping[tuple[str, str], Shape], rows: int, dtypes: Collection[torch.dtype]) -> None:
        """Say what may cross from now on.

        Args:
            hops: The shape of a row on each way (sender, receiver) of embeddings; their gradients come back.
            rows: Most rows of a batch.
            dtypes: Of the numbers.
        """
        self._rows, self._dtypes = rows, frozenset(dtypes)
        for number, ((sender, receiver), row) in enumerate(hops.items()):
            self._declared[sender, receiver, False] = Declared(f"the embedding {sender}->{receiver}", 2 * number, row)
            self._declared[receiver, sender, True] = Declared(f"the gradient {receiver}->{sender}", 2 * number + 1, row)

    def open(self) -> None:
        """Begin a step: every hop may be crossed once, forth and back."""
        self._crossed = set()

    def ends_here(self, sender: str, receiver: str) -> bool:
        """Whether this party is the sender or the receiver."""
        return self.party in (sender, receiver)

    def carry(self, tensor: Tensor, sender: str, receiver: str) -> Tensor:
        """Return what the receiver gets of an embedding."""
        return self._cross(tensor, tensor, sender, receiver, back=False)

    def carry_back(self, gradient: Tensor | None, sent: Tensor, sender: str, receiver: str) -> Tensor | None:
        """Return the gradient that `receiver` gets for the tensor `sent`; None if that took no part in the loss."""
        found = self._cross(gradient, sent, sender, receiver, back=True)
        return None if found.shape != sent.shape else found

    def _cross(self, tensor: Tensor | None, like: Tensor, sender: str, receiver: str, *, back: bool) -> Tensor:
        """Send, receive, or do nothing, as this party's role is; an empty message means None."""
        if sender == self.party:
            hop = self._declaration(sender, receiver, back)
            given = torch.empty(0, dtype=like.dtype) if tensor is None else tensor
            self._check(tuple(given.shape), given.dtype, like, hop, sender, empty=tensor is None)
            given = given.cpu().contiguous()
            self.peers[receiver].send(Kind.TENSOR, given.reshape(-1).view(torch.uint8), hop.tag, given)
            return given.to("meta")
        if receiver == self.party:
            return self._receive(self._declaration(sender, receiver, back), like, sender, back)
        return torch.empty_like(like, device="meta")

    def _declaration(self, sender: str, receiver: str, back: bool) -> Declared:
        """Return the declared hop, and mark it as crossed in this step."""
        hop = self._declared.get((sender, receiver, back))
        if hop is None:
            allowed = ", ".join(one.what for one in self._declared.values()) or "nothing"
            way = f"{'gradient' if back else 'tensor'} {sender}->{receiver}"
            raise RefusedError(self.party, f"{self.party} refuses to pass on a {way}: the topology declares {allowed}.")
        if hop.tag in self._crossed:
            raise RefusedError(self.party, f"{self.party} refuses to pass on {hop.what} twice in one step.")
        self._crossed.add(hop.tag)
        return hop

    def _check(self, shape: Shape, dtype: torch.dtype, like: Tensor, hop: Declared, sender: str, *, empty: bool) -> None:
        """Refuse a tensor whose rows, shape or dtype are not as declared."""
        fits = empty or (shape == tuple(like.shape) and shape[1:] == hop.row and shape[0] <= self._rows)
        if not fits or dtype not in self._dtypes:
            raise RefusedError(
                sender,
                f"{self.party} refuses {hop.what}: it is {list(shape)} of {dtype}; it must be "
                f"{list(like.shape)}, which is up to {self._rows} rows of {list(hop.row)}, of "
                f"{' or '.join(sorted(map(str, self._dtypes)))}.",
            )

    def _receive(self, hop: Declared, like: Tensor, sender: str, back: bool) -> Tensor:
        """Wait for a tensor, and refuse it if it is not the expected one."""
        peer = self.peers[sender]
        header, message = peer.receive(Kind.TENSOR, hop.what, like.numel() * 8)
        if header.tag != hop.tag:
            raise peer.refused(f"hop {header.tag} came where {hop.what}, {hop.tag}, was due")
        self._check(header.shape, header.dtype, like, hop, sender, empty=back and header.total == 0)
        if len(message) != math.prod(header.shape) * header.dtype.itemsize:
            raise peer.refused(f"{hop.what} has {len(message):,} bytes, which are not those of its shape")
        tensor = message.view(header.dtype).reshape(header.shape)
        if not torch.isfinite(tensor.sum()) and not torch.isfinite(tensor).all():  # a sum may overflow by itself
            raise peer.refused(f"{hop.what} has numbers that are not finite. A lower learning rate or clip_norm=1.0 may help")
        return tensor.to(self.device)
