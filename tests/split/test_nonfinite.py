"""A loss that is not finite stops the run at its step and names the party and the first tensor that is not finite."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from split_runs import OPTIMIZERS, OUTPUTS, TOPOLOGIES, Recorded, batches, fit, mlp_network
from torch import Tensor, nn

from vertical_lightning.merges.concat import Concat
from vertical_lightning.schema import Shape, StageFactory, VerticalBatch
from vertical_lightning.split.topology import Topology

SGD = partial(torch.optim.SGD, lr=0.01)


def sound(network: Topology, count: int = 4) -> list[VerticalBatch]:
    shapes = {party: (number + 2,) for number, party in enumerate(network.feature_parties)}
    return batches(shapes, count, torch.float32)


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
@pytest.mark.parametrize("topology", [name for name in TOPOLOGIES if name != "centralized"])
def test_features_are_named(topology: str, value: float) -> None:
    network = mlp_network(topology, 2, "sum")
    steps = sound(network)
    party = network.feature_parties[1]
    steps[2].features[party][5, 1] = value
    module = Recorded(network, SGD)
    with pytest.raises(FloatingPointError, match=f"at step 2; .* not finite: features of {party}"):
        fit(module, steps)
    assert len(module.losses) == 2


@pytest.mark.parametrize(
    ("party", "weight"),
    [("party_0", "fc1.1.bias"), ("party_1", "fc1.1.weight"), ("server", "fc3.1.weight"), ("bob", "head.1.bias")],
)
def test_weights_are_named(party: str, weight: str) -> None:
    network = mlp_network("u_shaped", 2, "sum")
    with torch.no_grad():
        network.own(party).get_parameter(weight).view(-1)[-1] = torch.nan
    with pytest.raises(FloatingPointError, match=f"the loss is nan at step 0; .* not finite: {weight} of {party}"):
        fit(Recorded(network, SGD), sound(network))


def test_sound_weights_stay_as_they_were_before_the_bad_step() -> None:
    network = mlp_network("splitnn", 2, "sum")
    steps = sound(network)
    steps[1].features["party_0"][0, 0] = torch.nan
    expected = mlp_network("splitnn", 2, "sum")
    fit(Recorded(expected, SGD), steps[:1])
    with pytest.raises(FloatingPointError):
        fit(Recorded(network, SGD), steps)
    for ours, theirs in zip(network.parameters(), expected.parameters(), strict=True):
        assert torch.equal(ours, theirs)


@pytest.mark.parametrize("topology", ["splitnn", "u_shaped"])
def test_an_exploding_loss_stops(topology: str) -> None:
    network = mlp_network(topology, 2, "sum")
    module = Recorded(network, partial(torch.optim.SGD, lr=1e18))
    named = r"(of|at) (party_\d|server|bob|the label holder)"
    with pytest.raises(FloatingPointError, match=rf"at step \d+; .* not finite: .* {named}") as error:
        fit(module, sound(network), max_epochs=20)
    assert f"step {len(module.losses)};" in str(error.value)


def test_an_embedding_that_overflows_is_its_senders() -> None:
    network = mlp_network("splitnn", 2, "sum")
    with torch.no_grad():
        for weight in network.own("party_1").parameters():
            weight.fill_(3e38)
    with pytest.raises(FloatingPointError, match="not finite: embedding party_1->bob of party_1"):
        fit(Recorded(network, SGD), [VerticalBatch({**sound(network)[0].features, "party_1": torch.ones(8, 3)}, *rest())])


def test_an_overflow_at_the_label_holder_is_said_to_be_there() -> None:
    network = mlp_network("splitnn", 2, "sum")
    with torch.no_grad():
        for weight in network.own("bob").parameters():
            weight.fill_(1e30)
    batch = VerticalBatch({"party_0": torch.ones(8, 2), "party_1": torch.ones(8, 3)}, *rest())
    with torch.no_grad():
        for party in network.feature_parties:
            for weight in network.own(party).parameters():
                weight.fill_(1.0)
    with pytest.raises(FloatingPointError, match="not finite: the logits or the loss at the label holder"):
        fit(Recorded(network, SGD), [batch])


class Normed:
    """Linear; batch norm; linear."""

    def stages(self, outputs: int) -> dict[str, StageFactory]:
        def linear(shape: Shape, width: int) -> nn.Module:
            return nn.Linear(shape[0], width)

        return {
            "fc1": partial(linear, width=4),
            "norm": lambda shape: nn.BatchNorm1d(shape[0]),
            "head": partial(linear, width=3),
        }


@pytest.mark.parametrize("topology", ["splitnn", "u_shaped"])
def test_an_overflow_is_not_blamed_on_the_statistics_that_it_spoiled(topology: str) -> None:
    """Batch norm at the next party has taken up the infinite embedding before anybody looks."""
    owners, cut = {"splitnn": (["bob"], 1), "u_shaped": (["server", "bob"], [1, 2])}[topology]
    network = Topology(Normed(), {"alice": (2,)}, OUTPUTS, "bob", owners=owners, cut=cut, merge=Concat)
    with torch.no_grad():
        for weight in network.own("alice").parameters():
            weight.fill_(3e38)
    with pytest.raises(FloatingPointError, match=f"not finite: embedding alice->{owners[0]} of alice"):
        fit(Recorded(network, SGD), [VerticalBatch({"alice": torch.ones(8, 2)}, *rest())])


def rest() -> tuple[Tensor, Tensor]:
    """Labels and row numbers."""
    return torch.zeros(8).long(), torch.arange(8)


def test_a_run_after_one_that_was_stopped_starts_afresh() -> None:
    """Neither the stopped epoch's sums nor a step of the schedule are left over."""
    network = mlp_network("splitnn", 2, "sum")
    module = Recorded(network, SGD, scheduler=partial(torch.optim.lr_scheduler.StepLR, step_size=1, gamma=0.5))
    steps = sound(network)
    spoiled = [*steps[:2], steps[2]._replace(features={**steps[2].features, "party_0": torch.full((8, 2), torch.nan)})]
    with pytest.raises(FloatingPointError, match="at step 2"):
        fit(module, spoiled)
    module.losses.clear()
    trainer = fit(module, steps)
    assert {group["lr"] for optimizer in trainer.optimizers for group in optimizer.param_groups} == {0.01 * 0.5}
    rows = [len(batch.labels) for batch in steps]
    expected = sum(loss * count for loss, count in zip(module.losses, rows, strict=True)) / sum(rows)
    assert float(trainer.callback_metrics["train/loss"]) == pytest.approx(expected, abs=1e-6)


def test_a_finite_run_is_left_alone() -> None:
    network = mlp_network("splitnn", 2, "sum")
    module = Recorded(network, OPTIMIZERS["sgd"])
    fit(module, sound(network))
    assert len(module.losses) == 4
