"""The wire: what crosses, what it costs, and in which order gradients go back."""

from __future__ import annotations

import pytest
import torch
from aligned_data import synthetic
from split_runs import OPTIMIZERS, Recorded, batches, fit, mlp_network, quiet_trainer

from vertical_lightning.architectures.mlp import Mlp
from vertical_lightning.merges.concat import Concat
from vertical_lightning.split.topology import Topology
from vertical_lightning.split.wire import Wire


@pytest.mark.parametrize(("dtype", "size"), [(torch.float32, 4), (torch.bfloat16, 2), (torch.float64, 8)])
def test_bytes_are_counted_exactly(dtype: torch.dtype, size: int) -> None:
    wire = Wire()
    sent = torch.ones(3, 5, dtype=dtype, requires_grad=True) * 2
    received = wire.send(sent, sender="alice", receiver="bob")
    assert received.dtype == dtype
    assert dict(wire.bytes) == {"alice->bob": 3 * 5 * size}
    received.sum().backward()
    wire.return_gradients()
    assert dict(wire.bytes) == {"alice->bob": 3 * 5 * size, "bob->alice": 3 * 5 * size}


def test_sending_to_oneself_is_free_and_cuts_nothing() -> None:
    wire = Wire()
    sent = torch.ones(3, requires_grad=True) * 2
    assert wire.send(sent, sender="bob", receiver="bob") is sent
    assert not wire.hops and not wire.bytes


@pytest.mark.parametrize("epochs", [1, 3])
def test_a_fit_costs_what_the_formula_says(epochs: int) -> None:
    """2 · rows · Σ width · 4 bytes an epoch: every embedding once forward, its gradient once back."""
    network = mlp_network("u_shaped", 3, "sum")
    module = Recorded(network, OPTIMIZERS["sgd"])
    steps = batches({f"party_{number}": (number + 2,) for number in range(3)}, 4, torch.float32)
    rows = sum(len(batch.labels) for batch in steps)
    fit(module, steps, max_epochs=epochs)
    widths = {"party_0->server": 6, "party_1->server": 6, "party_2->server": 6, "server->bob": 5}
    for link, width in widths.items():
        back = "->".join(reversed(link.split("->")))
        assert module.wire.bytes[link] == module.wire.bytes[back] == epochs * rows * width * 4
    assert module.wire.bytes.total() == 2 * epochs * rows * sum(widths.values()) * 4
    assert not module.evaluation_wire.bytes


@pytest.mark.filterwarnings("ignore")
def test_evaluation_is_counted_apart_and_goes_one_way() -> None:
    data = synthetic(2)
    data.setup("fit")
    network = Topology(Mlp([4]), data.shapes, 2, "bob", owners=["bob"], cut=1, merge=Concat)
    module = Recorded(network, OPTIMIZERS["sgd"])
    trainer = quiet_trainer(num_sanity_val_steps=0, max_epochs=2)
    trainer.fit(module, datamodule=data)
    rows = {split: len(part) for split, part in data.splits.items()}
    assert module.wire.bytes.total() == 2 * 2 * rows["train"] * (4 + 4) * 4
    assert dict(module.evaluation_wire.bytes) == dict.fromkeys(["alice->bob", "carol->bob"], 2 * rows["val"] * 4 * 4)


def test_one_graph_may_feed_several_hops() -> None:
    """Alice's activation goes to two parties; what she learns is the sum of both gradients."""
    weight = torch.tensor([2.0], requires_grad=True)
    wire = Wire()
    activation = weight**2
    bob = wire.send(activation, sender="alice", receiver="bob")
    carol = wire.send(3 * activation, sender="alice", receiver="carol")
    (bob * 5).sum().backward()
    (carol * 7).sum().backward()
    wire.return_gradients()
    assert weight.grad.item() == 2 * 2.0 * (5 + 3 * 7)  # type: ignore[union-attr]


def test_a_relay_returns_the_deepest_hop_first() -> None:
    """x → 2x at alice → (·)² at carol → 3· at dave → bob, and back."""
    weight = torch.tensor([1.5], requires_grad=True)
    wire = Wire()
    at_carol = wire.send(2 * weight, sender="alice", receiver="carol")
    at_dave = wire.send(at_carol**2, sender="carol", receiver="dave")
    at_bob = wire.send(3 * at_dave, sender="dave", receiver="bob")
    assert [hop.depth for hop in wire.hops] == [1, 2, 3]
    at_bob.sum().backward()
    assert at_dave.grad is None and at_carol.grad is None
    wire.return_gradients()
    assert at_dave.grad.item() == 3 and at_carol.grad.item() == 3 * 2 * 3.0  # type: ignore[union-attr]
    assert weight.grad.item() == 3 * 2 * 3.0 * 2  # type: ignore[union-attr]


def test_branches_of_unequal_length_meet() -> None:
    """Alice sends to bob at once, and by way of carol; both gradients reach her."""
    weight = torch.tensor([1.0], requires_grad=True)
    wire = Wire()
    direct = wire.send(weight * 2, sender="alice", receiver="bob")
    by_carol = wire.send(weight * 3, sender="alice", receiver="carol")
    by_way = wire.send(by_carol * 5, sender="carol", receiver="bob")
    (direct + 7 * by_way).sum().backward()
    wire.return_gradients()
    assert weight.grad.item() == 2 + 7 * 5 * 3  # type: ignore[union-attr]


def test_a_party_without_a_gradient_is_skipped() -> None:
    used, unused = (torch.ones(2, requires_grad=True) for _ in range(2))
    wire = Wire()
    received = wire.send(used * 2, sender="alice", receiver="bob")
    wire.send(unused * 2, sender="carol", receiver="bob")
    received.sum().backward()
    wire.return_gradients()
    assert used.grad.tolist() == [2, 2] and unused.grad is None  # type: ignore[union-attr]
    assert dict(wire.bytes) == {"alice->bob": 8, "carol->bob": 8, "bob->alice": 8}


def test_what_needs_no_gradient_gets_none() -> None:
    wire = Wire()
    received = wire.send(torch.ones(2), sender="alice", receiver="bob")
    assert not received.requires_grad
    wire.return_gradients()
    assert dict(wire.bytes) == {"alice->bob": 8}


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_evaluation_keeps_no_graph(mode: type[torch.no_grad]) -> None:
    wire = Wire()
    weight = torch.ones(2, requires_grad=True)
    with mode():
        received = wire.send(weight * 2, sender="alice", receiver="bob")
        assert not received.requires_grad
        wire.return_gradients()
    assert next(wire.seen_by("bob"))[1].tolist() == [2, 2]
    assert dict(wire.bytes) == {"alice->bob": 8}


def test_the_senders_gradient_is_its_own_copy() -> None:
    """What the sender does to its gradient in place does not change what the receiver sent."""
    wire = Wire()
    activation = torch.ones(2, requires_grad=True) * 2
    activation.register_hook(lambda gradient: gradient.zero_())
    received = wire.send(activation, sender="alice", receiver="bob")
    received.sum().backward()
    wire.return_gradients()
    assert received.grad.tolist() == [1, 1]  # type: ignore[union-attr]


def test_opening_forgets_hops_and_keeps_counts() -> None:
    wire = Wire()
    wire.send(torch.ones(2), sender="alice", receiver="bob")
    wire.open()
    assert not wire.hops and not list(wire.seen_by("bob")) and wire.bytes.total() == 8
