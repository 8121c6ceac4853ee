"""FedBCD: local steps are those of a plain loop with stale messages, and a batch stays one step of the run."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
import torch
from boundary import one_batch
from job import SMALL, run
from split_runs import OPTIMIZERS, Recorded, batches, fit, mlp_network
from torch import Tensor

from vertical_lightning.schedules.fedbcd import FedBcd
from vertical_lightning.split.replay import Replay
from vertical_lightning.split.topology import Topology
from vertical_lightning.split.wire import Wire

STEPS = 4


def plain_loop(network: Topology, features: dict[str, Tensor], labels: Tensor, rate: float) -> None:
    """One exchange, then local steps against its embeddings and gradients; a loop of its own, without a wire."""
    bob = [network.own("bob")["merge"], *(network.own("bob")[name] for name in network.segments[0][1])]
    optimizers = [torch.optim.SGD(network.own(party).parameters(), lr=rate) for party in network.members]
    stale: list[Tensor] = []
    gradients: list[Tensor] = []
    for step in range(STEPS):
        for optimizer in optimizers:
            optimizer.zero_grad()
        sent = [network.run(party, network.bottoms[party], features[party]) for party in network.feature_parties]
        if step == 0:
            stale = [tensor.detach() for tensor in sent]
        leaves = [tensor.clone().requires_grad_() for tensor in stale]
        tensor = bob[0](leaves)
        for stage in bob[1:]:
            tensor = stage(tensor)
        torch.nn.functional.cross_entropy(tensor, labels).backward()
        if step == 0:
            gradients = [leaf.grad for leaf in leaves]  # type: ignore[misc]
        torch.autograd.backward(sent, gradients)
        for optimizer in optimizers:
            optimizer.step()


def test_local_steps_are_those_of_a_plain_loop() -> None:
    network, reference = (mlp_network("splitnn", 3, "concat").double() for _ in range(2))
    [batch] = one_batch(network)
    features = {party: block.double() for party, block in batch.features.items()}
    module = Recorded(network, partial(torch.optim.SGD, lr=0.1), schedule=FedBcd(STEPS))
    fit(module, [batch._replace(features=features)])
    plain_loop(reference, features, batch.labels, 0.1)
    for name, weight in reference.named_parameters():
        torch.testing.assert_close(network.get_parameter(name), weight, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("topology", ["splitnn", "u_shaped", "relay", "aggregate"])
def test_nothing_crosses_in_a_local_step(topology: str) -> None:
    network = mlp_network(topology, 2, "sum")
    once = Recorded(mlp_network(topology, 2, "sum"), OPTIMIZERS["sgd"])
    module = Recorded(network, OPTIMIZERS["sgd"], schedule=FedBcd(5))
    fit(once, one_batch(network))
    fit(module, one_batch(network))
    assert module.wire.bytes == once.wire.bytes
    assert len(module.losses) == 5 and len(once.losses) == 1
    assert module.losses[0] == once.losses[0]
    learns = topology != "aggregate"  # there nobody has stages behind the stale embeddings
    assert module.losses[4] < module.losses[0] if learns else module.losses[4] == module.losses[0]


def test_global_step_counts_batches() -> None:
    network = mlp_network("splitnn", 2, "sum")
    shapes = {party: (number + 2,) for number, party in enumerate(network.feature_parties)}
    module = Recorded(network, OPTIMIZERS["adam"], schedule=FedBcd(3))
    trainer = fit(module, batches(shapes, 4, torch.float32), max_epochs=-1, max_steps=10)
    assert trainer.global_step == 10 and len(module.losses) == 30
    for optimizer in trainer.optimizers:
        assert {int(state["step"]) for state in optimizer.state.values()} == {30}


def test_local_steps_are_clipped_too() -> None:
    network = mlp_network("splitnn", 2, "sum")
    module = Recorded(network, partial(torch.optim.SGD, lr=1.0), clip_norm=1e-3, schedule=FedBcd(3))
    before = {name: weight.detach().clone() for name, weight in network.named_parameters()}
    fit(module, one_batch(network))
    moved = {party: 0.0 for party in network.members}
    for name, weight in network.named_parameters():
        moved[name.split(".")[1]] += float((weight - before[name]).detach().square().sum())
    assert all(0 < square**0.5 <= 3 * 1e-3 * 1.001 for square in moved.values()), moved


def test_a_replay_leaves_the_rounds_hops_as_they_are() -> None:
    wire = Wire()
    weight = torch.tensor([2.0], requires_grad=True)
    received = wire.send(3 * weight, sender="alice", receiver="bob")
    received.square().sum().backward()
    wire.return_gradients()
    again = Replay(wire)
    with torch.no_grad():
        weight.mul_(10)
    stale = again.send(3 * weight, sender="alice", receiver="bob")
    assert stale.item() == received.item() == 6.0 and stale.requires_grad
    stale.sum().backward()
    weight.grad = None
    again.return_gradients()
    assert weight.grad is not None and weight.grad.item() == 36.0, "the stale gradient, through the newest graph"
    assert received.grad is not None and received.grad.item() == 12.0
    assert dict(again.bytes) == {} and dict(wire.bytes) == {"alice->bob": 4, "bob->alice": 4}


def test_accumulation_does_not_go_with_it() -> None:
    with pytest.raises(ValueError, match="schedule=fedbcd steps several times a batch, and accumulate once for several"):
        Recorded(mlp_network("splitnn", 2, "sum"), OPTIMIZERS["sgd"], accumulate=2, schedule=FedBcd(2))


@pytest.mark.parametrize("steps", [0, -1, 2.5, True])
def test_no_such_number_of_steps(steps: object) -> None:
    with pytest.raises(ValueError, match=r"schedule\.local_steps=.* is not allowed"):
        FedBcd(steps)  # type: ignore[arg-type]


@pytest.mark.filterwarnings("ignore")
def test_more_local_steps_learn_more_from_as_many_bytes(tmp_path: Path) -> None:
    words = ["partition=halves", "architecture.hidden=[16,16]", "trainer.max_epochs=4", "optimizer=sgd", *SMALL]
    plain = run(tmp_path / "plain", *words)
    local = run(tmp_path / "local", *words, "schedule=fedbcd")
    assert local["wire/bytes"] == plain["wire/bytes"]
    assert local["train/loss"] < plain["train/loss"]
