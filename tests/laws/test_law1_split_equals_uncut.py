"""Law 1: split training equals the uncut network, and one seed is one function whatever the cut."""

from __future__ import annotations

from itertools import product

import pytest
import torch
from equality import Case, check_equals_uncut
from split_runs import OPTIMIZERS, OUTPUTS, Recorded, batches, fit, mlp_network
from torch import nn

from vertical_lightning.architectures.lenet import LeNet
from vertical_lightning.architectures.mlp import Mlp
from vertical_lightning.architectures.resnet18 import ResNet18
from vertical_lightning.architectures.tabular import Tabular
from vertical_lightning.architectures.vgg11 import Vgg11
from vertical_lightning.merges.concat import Concat
from vertical_lightning.schema import Architecture
from vertical_lightning.split.topology import Topology

MERGES = ["concat", "sum", "mean", "max", "attention"]
MANY = ["splitnn", "splitnn_holder", "u_shaped", "relay", "aggregate"]
CELLS = [(topology, parties, merge) for topology, parties, merge in product(MANY, [1, 2, 3, 5], MERGES)]
# Logits side by side are no logits; one party's own are.
CELLS = [cell for cell in CELLS if cell[0] != "aggregate" or cell[2] != "concat" or cell[1] == 1]
CELLS += [("centralized", 1, merge) for merge in MERGES]
CELLS += [("splitnn", parties, "stitch") for parties in (1, 2, 3)] + [("u_shaped", 2, "stitch")]


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize(("topology", "parties", "merge"), CELLS)
def test_equals_uncut(topology: str, parties: int, merge: str, optimizer: str) -> None:
    check_equals_uncut(Case(topology, parties, merge, optimizer))


FEW = [cell for cell in CELLS if cell[1] == 3]


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize(
    ("topology", "parties", "merge"),
    [*FEW, *(pytest.param(*cell, marks=pytest.mark.slow) for cell in CELLS if cell not in FEW)],
)
def test_equals_uncut_in_single_precision(topology: str, parties: int, merge: str, optimizer: str) -> None:
    check_equals_uncut(Case(topology, parties, merge, optimizer, torch.float32))


@pytest.mark.parametrize("topology", [*MANY, "centralized"])
def test_clipping_is_each_partys_own(topology: str) -> None:
    parties = 1 if topology == "centralized" else 3
    check_equals_uncut(Case(topology, parties, "sum", clip=0.05))


@pytest.mark.parametrize("topology", [*MANY, "centralized"])
def test_classes_may_have_weights(topology: str) -> None:
    parties = 1 if topology == "centralized" else 3
    check_equals_uncut(Case(topology, parties, "sum", weights=(0.5, 2.0, *[3.0] * (OUTPUTS - 2))))


IMAGE = (1, 16, 16)
NETWORKS: dict[str, tuple[Architecture, tuple[int, ...]]] = {
    "mlp": (Mlp([5, 4, 6]), (7,)),
    "lenet": (LeNet(), (1, 28, 28)),
    "resnet18": (ResNet18(), IMAGE),
    "resnet18_large": (ResNet18(small_images=False), (1, 40, 40)),
    "vgg11": (Vgg11(width=32), IMAGE),
    "tabular": (Tabular([6, 5], dropout=0.3), (7,)),
}


def cut_everywhere(architecture: Architecture, shape: tuple[int, ...], seed: int = 3) -> list[Topology]:
    """Build the uncut network, one cut after each stage, and a cut after every stage."""
    stages = len(architecture.stages(1))
    relay = ["alice", *(f"relay_{number}" for number in range(stages - 2)), "bob"][-(stages - 1) :]
    owners = [[], *[["bob"]] * (stages - 1), relay]
    cuts = [None, *range(1, stages), list(range(1, stages))]
    return [
        Topology(architecture, {"alice": shape}, 3, "bob", owners=them, cut=cut, merge=Concat, seed=seed)
        for them, cut in zip(owners, cuts, strict=True)
    ]


def state(network: Topology) -> dict[str, object]:
    """Collect parameters, buffers and extra state by stage, whoever owns it."""
    return {name.split(".", 2)[2]: value for name, value in network.state_dict().items()}


def assert_same_state(network: Topology, other: Topology) -> None:
    ours, theirs = state(network), state(other)
    assert ours.keys() == theirs.keys()
    for name, value in ours.items():
        torch.testing.assert_close(value, theirs[name], rtol=0, atol=0, msg=name)


@pytest.mark.parametrize("name", NETWORKS)
def test_one_seed_is_one_function_whatever_the_cut(name: str) -> None:
    architecture, shape = NETWORKS[name]
    [batch] = batches({"alice": shape}, 1, torch.float32)
    uncut, *others = cut_everywhere(architecture, shape)
    expected = uncut(batch.features)
    for network in others:
        assert torch.equal(network(batch.features), expected), network.describe()
        assert_same_state(network, uncut)  # batch norm has moved its buffers, dropout its step


@pytest.mark.parametrize("name", NETWORKS)
def test_training_is_the_same_whatever_the_cut(name: str) -> None:
    architecture, shape = NETWORKS[name]
    steps = batches({"alice": shape}, 2, torch.float32)
    networks = cut_everywhere(architecture, shape)
    uncut, *others = networks if name in ("mlp", "lenet", "tabular") else (networks[0], networks[2], networks[-1])
    modules = [Recorded(network, OPTIMIZERS["sgd"]) for network in (uncut, *others)]
    for module in modules:
        fit(module, steps)
        assert module.losses == modules[0].losses
        assert_same_state(module.network, uncut)


def test_blocks_are_known_by_their_names_and_not_by_their_order() -> None:
    network = mlp_network("splitnn", 2, "concat")
    [batch] = batches({"party_0": (2,), "party_1": (3,)}, 1, torch.float32)
    assert torch.equal(network(dict(reversed(batch.features.items()))), network(batch.features))


def test_a_party_that_stays_away_is_no_zero() -> None:
    network = mlp_network("splitnn", 2, "sum")
    with pytest.raises((KeyError, ValueError)):
        network({"party_0": torch.ones(4, 2)})


def test_logits_side_by_side_are_refused() -> None:
    with pytest.raises(ValueError, match=r"concat|merge|logits"):
        mlp_network("aggregate", 2, "concat")


def test_other_seeds_stages_and_branches_have_other_weights() -> None:
    def first_weight(party: str, seed: int) -> nn.Parameter:
        shapes = {"alice": (4,), "carol": (4,)}
        network = Topology(Mlp([4, 4]), shapes, 3, "bob", owners=["bob"], cut=2, merge=Concat, seed=seed)
        return next(network.own(party).parameters())

    assert torch.equal(first_weight("alice", 0), first_weight("alice", 0))
    assert not torch.equal(first_weight("alice", 0), first_weight("alice", 1))
    assert not torch.equal(first_weight("alice", 0), first_weight("carol", 0))
