"""Law 2, checked on a living graph: no gradient edge and no storage is shared between parties except through a hop."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from torch import Tensor, nn
from torch.autograd.graph import Node

from vertical_lightning.split.wire import Wire

Belonging = dict[int, tuple[str, str]]
"""Whose a tensor is, and its name, by identity or storage address."""


class BoundaryError(RuntimeError):
    """A gradient edge or a storage is shared between two parties without a hop."""


def audit(parties: Mapping[str, nn.Module], features: Mapping[str, Tensor], wire: Wire, loss: Tensor, holder: str) -> None:
    """Walk back from all that a party sent, and from the loss, and stop where another party's tensor is met.

    Call it between forward and backward, while the step's graph and hops are alive.

    Args:
        parties: Each party's own modules.
        features: Each feature party's block of the batch, from `Wire.traced`.
        wire: The wire that carried the step.
        loss: The loss, at the label holder.
        holder: The label holder.

    Raises:
        BoundaryError: Names both parties and the module or tensor that they share.
    """
    tensors = [*owned(parties, features), *((hop.receiver, f"embedding {hop.link}", hop.received) for hop in wire.hops)]
    check_storage([*tensors, *((hop.sender, f"sent {hop.link}", hop.sent) for hop in wire.hops)])
    belongs = {id(tensor): (party, name) for party, name, tensor in tensors}
    for hop in wire.hops:
        check_edges(hop.sender, f"embedding {hop.link}", hop.sent, belongs)
        for party, term in hop.penalties.items():
            check_edges(party, f"penalty on {hop.link}", term, belongs)
    check_edges(holder, "loss", loss, belongs)


def owned(parties: Mapping[str, nn.Module], features: Mapping[str, Tensor]) -> Iterator[tuple[str, str, Tensor]]:
    """Yield (party, name, tensor) of what the parties hold before anything crosses."""
    for party, module in parties.items():
        for name, parameter in module.named_parameters():
            yield party, name, parameter
        for name, buffer in module.named_buffers():
            yield party, name, buffer
    for party, block in features.items():
        yield party, "features", block


def check_edges(party: str, name: str, end: Tensor, belongs: Belonging) -> None:
    """Refuse an `end` of `party` whose graph reaches a leaf of anybody else."""
    for leaf in leaves(end):
        # What has no graph behind it, such as the embedding of frozen stages, can be at nobody else's.
        unknown = (party, name) if leaf is end else ("nobody on the wire", f"a tensor of shape {tuple(leaf.shape)}")
        other, what = belongs.get(id(leaf), unknown)
        if other != party:
            raise BoundaryError(
                f"a gradient edge crosses the boundary: {name} of {party} reaches {what} of {other} without a hop. "
                "Send the tensor with wire.send, and use only what it returns."
            )


def leaves(end: Tensor) -> Iterator[Tensor]:
    """Yield every leaf that backward from `end` would reach."""
    if end.is_leaf:
        yield end
        return
    waiting: list[Node | None] = [end.grad_fn]
    met: set[Node] = set()
    while waiting:
        node = waiting.pop()
        if node is None or node in met:
            continue
        met.add(node)
        if hasattr(node, "variable"):
            yield node.variable
        waiting += [before for before, _ in node.next_functions]


def check_storage(tensors: Iterable[tuple[str, str, Tensor]]) -> None:
    """Refuse two parties whose tensors lie in one storage: an in-place operation of one would change the other's."""
    holders: Belonging = {}
    for party, name, tensor in tensors:
        address = tensor.untyped_storage().data_ptr()
        other, what = holders.setdefault(address, (party, name))
        if address and other != party:
            raise BoundaryError(
                f"{name} of {party} and {what} of {other} lie in one storage. "
                "Give each party a copy, and send tensors with wire.send."
            )
