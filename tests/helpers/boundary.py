"""Law 2 as functions that raise: one real step of a topology, audited by the package and judged from outside."""

from __future__ import annotations

from collections.abc import Callable

import torch
from split_runs import OPTIMIZERS, Recorded, batches, fit, mlp_network

from vertical_lightning.schema import VerticalBatch
from vertical_lightning.split.topology import Topology
from vertical_lightning.split.wire import Wire


def one_step(topology: str, parties: int = 2, spoil: Callable[[Topology], object] = lambda network: None) -> Recorded:
    """Train one batch under a real trainer, whose audit raises BoundaryError where it must."""
    network = mlp_network(topology, parties, "sum")
    spoil(network)
    module = Recorded(network, OPTIMIZERS["sgd"])
    fit(module, one_batch(network))
    return module


def one_batch(network: Topology) -> list[VerticalBatch]:
    shapes = {party: (number + 2,) for number, party in enumerate(network.feature_parties)}
    return batches(shapes, 1, torch.float32)


def check_boundary(topology: str = "splitnn") -> None:
    """Hop by hop: the receiver holds a leaf and a copy, and backward from the loss stays at the label holder.

    Raises:
        AssertionError: It does not.
        BoundaryError: The package's own audit noticed first.
    """
    one_step(topology)
    network = mlp_network(topology, 2, "sum")
    [batch] = one_batch(network)
    wire = Wire()
    network(batch.features, wire).square().sum().backward()
    for hop in wire.hops:
        assert hop.received.is_leaf, f"{hop.link}: the receiver's graph goes on at the sender"
        assert hop.received.data_ptr() != hop.sent.data_ptr(), f"{hop.link}: sender and receiver share storage"
    for party, own in network.parties.items():
        reached = [name for name, weight in own.named_parameters() if weight.grad is not None]
        assert party == network.label_holder or not reached, f"backward from the loss reached {reached} of {party}"
    assert wire.hops or list(network.parties) == [network.label_holder], "nothing crossed"
