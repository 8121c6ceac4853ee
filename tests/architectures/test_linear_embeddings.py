"""Without an activation at the cut, embeddings are linear, and the uncut network is what it was."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from vertical_lightning.architectures.mlp import Mlp
from vertical_lightning.merges.sum import Sum
from vertical_lightning.split.topology import Topology


def network(activation_at_cut: bool, shapes: dict[str, tuple[int, ...]], cut: int) -> Topology:
    architecture = Mlp([6, 5], activation_at_cut=activation_at_cut)
    return Topology(architecture, shapes, 3, "bob", owners=["bob"], cut=cut, merge=Sum, seed=1)


def test_one_party_computes_the_same() -> None:
    rows = torch.randn(4, 7)
    for cut in (1, 2):
        with_it, without = (network(at_cut, {"alice": (7,)}, cut) for at_cut in (True, False))
        assert torch.equal(with_it({"alice": rows}), without({"alice": rows}))


def test_what_crosses_is_linear() -> None:
    bottom = network(False, {"alice": (7,)}, cut=1).own("alice")["fc1"]
    one, other = torch.randn(2, 4, 7)
    zero = bottom(torch.zeros(4, 7))
    assert torch.allclose(bottom(one + other) - zero, bottom(one) - zero + bottom(other) - zero, atol=1e-6)
    assert (bottom(one) < 0).any()


def test_the_sum_of_linear_embeddings_is_one_layer_on_all_columns() -> None:
    split = network(False, {"alice": (2,), "carol": (3,)}, cut=1)
    linear = {party: split.own(party)["fc1"][1] for party in ("alice", "carol")}
    assert all(isinstance(one, nn.Linear) for one in linear.values())
    weight = torch.cat([one.weight for one in linear.values()], dim=1)
    bias = linear["alice"].bias + linear["carol"].bias
    columns = torch.randn(4, 5)
    later = nn.Sequential(split.own("bob")["fc2"], split.own("bob")["head"])
    uncut = later(functional.linear(columns, weight, bias))
    assert torch.allclose(split({"alice": columns[:, :2], "carol": columns[:, 2:]}), uncut, atol=1e-6)
