"""Law 1 as a function that raises: a split run under a real trainer against the uncut network in a plain loop."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import chain

import reference
import torch
from split_runs import MERGES, OPTIMIZERS, OUTPUTS, WIDTHS, Recorded, batches, fit, mlp_network
from torch import Tensor, nn

from vertical_lightning.architectures.lenet import LeNet
from vertical_lightning.split.classification import Classification
from vertical_lightning.split.topology import Topology

TOLERANCE = {torch.float64: 1e-12, torch.float32: 1e-6}
STRIP = (1, 28, 14)
Pair = tuple[str, nn.Parameter, nn.Parameter]
"""Party, its parameter, the uncut network's."""


@dataclass(frozen=True)
class Case:
    """One run that must equal the uncut network's."""

    topology: str = "splitnn"
    parties: int = 2
    merge: str = "concat"
    optimizer: str = "sgd"
    dtype: torch.dtype = torch.float64
    clip: float | None = None
    weights: tuple[float, ...] = ()

    def build(self) -> tuple[Topology, reference.Uncut]:
        """Build the split network and the uncut one, with weights still of its own."""
        torch.manual_seed(0)
        if self.merge != "stitch":
            network = mlp_network(self.topology, self.parties, self.merge)
            return network, self.uncut_mlp(len(network.bottoms[network.feature_parties[0]]))
        owners, cut = {"splitnn": (["bob"], 2), "u_shaped": (["server", "bob"], [2, 4])}[self.topology]
        shapes = {f"party_{number}": STRIP for number in range(self.parties)}
        network = Topology(LeNet(), shapes, OUTPUTS, "bob", owners=owners, cut=cut, merge=MERGES["stitch"])
        bottoms = [reference.lenet_layers() for _ in range(self.parties)]
        return network, reference.Uncut(bottoms, "stitch", reference.lenet_rest(16 * 5 * self.parties, OUTPUTS), None)

    def uncut_mlp(self, cut: int) -> reference.Uncut:
        """Cut the reference's row of layers where the merge stands."""
        widths = [*WIDTHS, OUTPUTS]
        logits = cut == len(widths)
        bottoms = [reference.mlp_layers([number + 2, *widths[:cut]], logits) for number in range(self.parties)]
        arriving = widths[cut - 1] * (self.parties if self.merge == "concat" else 1)
        query = torch.randn(self.parties, widths[cut - 1]) if self.merge == "attention" else None
        return reference.Uncut(bottoms, self.merge, reference.mlp_layers([arriving, *widths[cut:]], logits=True), query)


def pair_up(network: Topology, uncut: reference.Uncut) -> list[Pair]:
    """Match the split network's parameters with the uncut network's."""
    stages = [
        (party, network.own(party)[name], layer)
        for party, bottom in zip(network.feature_parties, uncut.bottoms, strict=True)
        for name, layer in zip(network.bottoms[party], bottom, strict=True)
    ]
    later = [(owner, network.own(owner)[name]) for owner, names in network.segments for name in names]
    stages += [(owner, stage, layer) for (owner, stage), layer in zip(later, uncut.rest, strict=True)]
    pairs = [
        (party, ours, theirs)
        for party, stage, layer in stages
        for ours, theirs in zip(stage.parameters(), layer.parameters(), strict=True)
    ]
    if uncut.query is not None:
        pairs.append((network.merger, next(network.own(network.merger)["merge"].parameters()), uncut.query))
    assert len(pairs) == len(list(network.parameters())) == len(list(uncut.parameters()))
    return pairs


def check_equals_uncut(case: Case, epochs: int = 2) -> None:
    """Train both ways for several steps; compare losses, parameters and optimizer states.

    Raises:
        AssertionError: They differ.
    """
    network, uncut = (one.to(case.dtype) for one in case.build())
    pairs = pair_up(network, uncut)
    with torch.no_grad():
        for _, ours, theirs in pairs:
            source, target = (theirs, ours) if theirs is uncut.query else (ours, theirs)
            target.copy_(source)
    shapes = {party: STRIP if case.merge == "stitch" else (n + 2,) for n, party in enumerate(network.feature_parties)}
    steps = batches(shapes, 3, case.dtype)
    module = Recorded(network, OPTIMIZERS[case.optimizer], clip_norm=case.clip, task=Classification(OUTPUTS, case.weights))
    trainer = fit(module, steps, max_epochs=epochs)

    optimizer = OPTIMIZERS[case.optimizer](uncut.parameters())
    plain = [([batch.features[party] for party in network.feature_parties], batch.labels) for batch in steps]
    groups = [[theirs for party, _, theirs in pairs if party == owner] for owner in network.parties]
    train = partial(reference.train, uncut, plain * epochs, optimizer, weights=case.weights)
    losses = train(groups, case.clip) if case.clip else train()

    equal = partial(torch.testing.assert_close, rtol=TOLERANCE[case.dtype], atol=TOLERANCE[case.dtype])
    equal(torch.tensor(module.losses).double(), torch.tensor(losses).double(), msg=lambda text: f"losses: {text}")
    states: dict[nn.Parameter, dict[str, Tensor]] = dict(chain(*(one.state.items() for one in trainer.optimizers)))
    for party, ours, theirs in pairs:
        equal(ours, theirs, msg=lambda text, party=party: f"a weight of {party}: {text}")
        expected = optimizer.state[theirs]
        found = states.get(ours, {})
        assert found.keys() == expected.keys(), f"{party}'s optimizer remembers {found.keys()}, not {expected.keys()}"
        for name, value in expected.items():
            equal(found[name], value, msg=lambda text, party=party, name=name: f"{name} of {party}'s optimizer: {text}")
