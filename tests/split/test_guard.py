"""Guards: what they rewrite, what they charge, and that they stay at their own end."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from boundary import one_batch
from guarding import Borrowing, Squared, check_codec_bytes, check_defense_acts, guarded
from split_runs import OPTIMIZERS, Recorded, fit, mlp_network
from torch import Tensor

from vertical_lightning.split.audit import BoundaryError
from vertical_lightning.split.guard import End, Guard, Own


def test_a_defense_acts() -> None:
    check_defense_acts()


def test_bytes_are_those_of_the_payload() -> None:
    check_codec_bytes()


@pytest.mark.parametrize("place", ["sender", "receiver"])
def test_a_penalty_is_a_term_of_its_partys_loss(place: str) -> None:
    """Against one plain graph of the uncut network with the same term in its loss."""
    party = "party_0" if place == "sender" else "bob"
    network = mlp_network("splitnn", 2, "sum", guards={party: {"squared": partial(Squared, place == "sender")}}).double()
    [batch] = one_batch(network)
    batch = batch._replace(features={name: block.double() for name, block in batch.features.items()})
    module = Recorded(network, OPTIMIZERS["sgd"])
    fit(module, [batch])
    ours = {name: weight.grad for name, weight in network.named_parameters()}

    uncut = mlp_network("splitnn", 2, "sum").double()
    embeddings = {name: uncut.run(name, uncut.bottoms[name], batch.features[name]) for name in uncut.feature_parties}
    tensor = uncut.merge(list(embeddings.values()))
    logits = uncut.run("bob", uncut.segments[0][1], tensor)
    charged = [embeddings["party_0"]] if place == "sender" else list(embeddings.values())
    loss = module.task.loss(logits, batch.labels) + sum(embedding.square().sum() for embedding in charged)
    loss.backward()
    for name, weight in uncut.named_parameters():
        torch.testing.assert_close(ours[name], weight.grad, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("where", ["embedding", "penalty"])
def test_a_guard_that_reaches_another_party_is_named(where: str) -> None:
    other = mlp_network("splitnn", 2, "sum")
    weight = other.own("party_1")["fc1"][1].weight
    with pytest.raises(BoundaryError, match=rf"{where} .*party_0->bob of party_0 reaches|{where} on party_0->bob of party_0"):
        guarded({"party_0": {"borrowing": partial(Borrowing, weight, where)}})


class Doubled(Guard):
    """Doubles what goes back, and keeps what it was shown."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[tuple[End, Own]] = []

    def gradient(self, gradient: Tensor, end: End, own: Own) -> Tensor:
        self.shown.append((end, own))
        return 2 * gradient


def test_a_gradient_is_rewritten_at_the_label_holder_who_sees_labels_and_nothing_of_others() -> None:
    plain = guarded({})
    module = guarded({"bob": {"doubled": Doubled}})
    for ours, theirs in zip(module.wire.hops, plain.wire.hops, strict=True):
        assert torch.equal(ours.gradient, 2 * theirs.gradient)
        assert torch.equal(ours.received.grad, theirs.received.grad)
    shown = module.wire.guards["bob"]["doubled"].shown
    assert [(end.party, end.sender) for end, _ in shown] == [("bob", "party_0"), ("bob", "party_1")]
    assert all(own.features is None and own.labels is not None for _, own in shown)


class Flipped(Guard):
    """Trains on other labels, and gives out other logits."""

    def targets(self, labels: Tensor) -> Tensor:
        return torch.zeros_like(labels)

    def answers(self, logits: Tensor) -> Tensor:
        return torch.zeros_like(logits)


def test_targets_and_answers_are_the_label_holders() -> None:
    network = mlp_network("splitnn", 2, "sum", guards={"bob": {"flipped": Flipped}, "party_0": {"flipped": Flipped}})
    module = Recorded(network, OPTIMIZERS["sgd"])
    [batch] = one_batch(network)
    fit(module, [batch])
    network = mlp_network("splitnn", 2, "sum")
    expected = module.task.loss(network(batch.features), torch.zeros_like(batch.labels))
    assert module.losses == pytest.approx([expected.item()])
    assert not module.validation_step(batch, 0)["logits"].any()


def test_a_guard_of_nobody_is_refused() -> None:
    with pytest.raises(ValueError, match="a defense is given for eve; the parties are"):
        mlp_network("splitnn", 2, "sum", guards={"eve": {"squared": Squared}})
