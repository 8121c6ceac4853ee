"""Faults of the wire: each function plants one, through `monkeypatch.setattr`."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby

import torch
from torch import Tensor

from vertical_lightning.split.guard import Guards
from vertical_lightning.split.hop import Hop
from vertical_lightning.split.wire import Wire

Patch = Callable[[object, str, object], None]


def cut_removed(patch: Patch) -> None:
    patch(Wire, "send", lambda self, tensor, *, sender, receiver: tensor)


def copy_removed(patch: Patch) -> None:
    """The receiver's leaf lies in the sender's storage."""

    def send(self: Wire, tensor: Tensor, *, sender: str, receiver: str) -> Tensor:
        received = tensor.detach().requires_grad_(tensor.requires_grad)
        self.hops.append(Hop(sender, receiver, tensor, received, 1))
        return received

    patch(Wire, "send", send)


def returned_by_hops(order: Callable[[list[Hop]], list[Hop]]) -> Callable[[Wire], None]:
    def return_gradients(self: Wire) -> None:
        for hop in order(self.hops):
            if hop.received.grad is not None:
                hop.sent.backward(hop.received.grad)

    return return_gradients


def oldest_hop_first(patch: Patch) -> None:
    patch(Wire, "return_gradients", returned_by_hops(lambda hops: hops))


def gradient_of_another_party(patch: Patch) -> None:
    """PyVertical's own fault: the second party is given the first one's gradient."""
    honest = Wire.return_gradients

    def return_gradients(self: Wire) -> None:
        for _, level in groupby(self.hops, key=lambda hop: hop.receiver):
            first, *others = level
            for hop in others:
                hop.received.grad = first.received.grad
        honest(self)

    patch(Wire, "return_gradients", return_gradients)


def one_hop_forgotten(patch: Patch) -> None:
    patch(Wire, "return_gradients", returned_by_hops(lambda hops: hops[:0:-1]))


def stale_hops(patch: Patch) -> None:
    """Hops stay from step to step, and are returned again."""
    patch(Wire, "open", lambda self, own=None: None)


def rounded_on_the_way(patch: Patch) -> None:
    honest = Wire.send

    def send(self: Wire, tensor: Tensor, *, sender: str, receiver: str) -> Tensor:
        return honest(self, tensor.to(torch.bfloat16).to(tensor.dtype), sender=sender, receiver=receiver)

    patch(Wire, "send", send)


def defense_never_called(patch: Patch) -> None:
    patch(Guards, "embedding", lambda self, tensor, end: tensor)


def bytes_of_the_dense_tensor(patch: Patch) -> None:
    """As VFLAIR counts: what the receiver has decompressed."""
    honest = Wire.cross

    def cross(self: Wire, hop: Hop) -> Tensor:
        before = self.bytes.copy()
        received = honest(self, hop)
        self.bytes = before
        self.count({"tensor": received}, hop.link)
        return received

    patch(Wire, "cross", cross)
