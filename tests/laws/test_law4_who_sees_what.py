"""Law 4: who receives labels, logits and gradients is a fixed table per topology."""

from __future__ import annotations

import pytest
import torch
from split_runs import OPTIMIZERS, TOPOLOGIES, Recorded, batches, fit
from torch import Tensor

from vertical_lightning.architectures.mlp import Mlp
from vertical_lightning.merges.sum import Sum
from vertical_lightning.schema import VerticalBatch
from vertical_lightning.split.topology import Topology

# Every width is a number of its own, so that a shape tells what a tensor is. 11 classes: whatever is 11 wide is logits.
WIDTHS = [5, 6, 7, 9]
CLASSES = 11
ROWS = 8

# topology → party → all that it receives: (kind and direction, width).
TABLE: dict[str, dict[str, set[tuple[str, int]]]] = {
    "splitnn": {
        "alice": {("gradient bob->alice", 6)},
        "carol": {("gradient bob->carol", 6)},
        "bob": {("embedding alice->bob", 6), ("embedding carol->bob", 6)},
    },
    "splitnn_holder": {
        "alice": {("gradient bob->alice", 6)},
        "bob": {("embedding alice->bob", 6)},
    },
    "u_shaped": {
        "alice": {("gradient server->alice", 5)},
        "carol": {("gradient server->carol", 5)},
        "server": {("embedding alice->server", 5), ("embedding carol->server", 5), ("gradient bob->server", 7)},
        "bob": {("embedding server->bob", 7)},
    },
    "relay": {
        "alice": {("gradient relay_1->alice", 5)},
        "carol": {("gradient relay_1->carol", 5)},
        "relay_1": {("embedding alice->relay_1", 5), ("embedding carol->relay_1", 5), ("gradient relay_2->relay_1", 6)},
        "relay_2": {("embedding relay_1->relay_2", 6), ("gradient bob->relay_2", 7)},
        "bob": {("embedding relay_2->bob", 7)},
    },
    "aggregate": {
        "alice": {("gradient bob->alice", CLASSES)},
        "carol": {("gradient bob->carol", CLASSES)},
        "bob": {("embedding alice->bob", CLASSES), ("embedding carol->bob", CLASSES)},
    },
    "centralized": {"bob": set()},
}
FEATURES = {"splitnn_holder": ["alice", "bob"], "centralized": ["bob"]}


def step(topology: str, labels: Tensor | None = None) -> tuple[Recorded, VerticalBatch]:
    """Train one batch."""
    shapes = dict.fromkeys(FEATURES.get(topology, ["alice", "carol"]), (4,))
    owners, cut = TOPOLOGIES[topology]
    network = Topology(Mlp(WIDTHS), shapes, CLASSES, "bob", owners=owners, cut=cut, merge=Sum)
    [batch] = batches(shapes, 1, torch.float32, rows=2 * ROWS - 2)
    batch = batch._replace(labels=torch.arange(3, 3 + ROWS) if labels is None else labels)
    module = Recorded(network, OPTIMIZERS["sgd"])
    fit(module, [batch])
    return module, batch


@pytest.mark.parametrize("topology", TABLE)
def test_every_party_receives_what_the_table_says_and_nothing_else(topology: str) -> None:
    module, _ = step(topology)
    assert set(module.network.parties) == set(TABLE[topology])
    for party, expected in TABLE[topology].items():
        seen = list(module.wire.seen_by(party))
        assert {(name, tensor.shape[1]) for name, tensor in seen} == expected
        assert len(seen) == len(expected)
        assert all(tensor.shape[0] == ROWS and tensor.dim() == 2 for _, tensor in seen)


@pytest.mark.parametrize("topology", ["splitnn", "splitnn_holder", "u_shaped", "relay"])
def test_nobody_but_the_label_holder_receives_labels_or_logits(topology: str) -> None:
    module, batch = step(topology)
    for party in module.network.parties:
        for name, tensor in module.wire.seen_by(party):
            assert tensor.shape[1] != CLASSES, f"{name} is as wide as logits"
            assert tensor.is_floating_point(), f"{name} has whole numbers, as labels have"
            marked = (tensor == batch.labels[:, None]).all(dim=0)
            assert not marked.any(), f"a column of {name} is the labels"


@pytest.mark.parametrize("topology", TABLE)
def test_nothing_that_goes_forward_depends_on_the_labels(topology: str) -> None:
    one, _ = step(topology)
    other, _ = step(topology, labels=torch.zeros(ROWS).long())
    assert one.losses != other.losses
    for ours, theirs in zip(one.wire.hops, other.wire.hops, strict=True):
        assert torch.equal(ours.received, theirs.received)
        assert not torch.equal(ours.received.grad, theirs.received.grad)  # type: ignore[arg-type]


def test_what_is_shown_of_a_hop_is_a_copy() -> None:
    module, _ = step("u_shaped")
    for party in module.network.parties:
        for _, tensor in module.wire.seen_by(party):
            assert not tensor.requires_grad
            tensor.fill_(torch.nan)
    assert all(hop.sent.isfinite().all() and hop.received.isfinite().all() for hop in module.wire.hops)
    assert all(hop.received.grad.isfinite().all() for hop in module.wire.hops)  # type: ignore[union-attr]


def test_a_party_with_nothing_to_learn_receives_nothing() -> None:
    """Its stages are frozen; nor does the audit of the first batch make the label holder send it a gradient."""
    shapes = {"alice": (4,), "carol": (4,)}
    network = Topology(Mlp(WIDTHS), shapes, CLASSES, "bob", owners=["bob"], cut=2, merge=Sum)
    for weight in network.own("alice").parameters():
        weight.requires_grad_(False)
    module = Recorded(network, OPTIMIZERS["sgd"])
    fit(module, batches(shapes, 2, torch.float32))
    assert not list(module.wire.seen_by("alice"))
    assert set(module.wire.bytes) == {"alice->bob", "carol->bob", "bob->carol"}
