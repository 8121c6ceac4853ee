"""Guards for tests, and functions that raise where a seam at the wire does not do what it says."""

from __future__ import annotations

from functools import partial

import torch
from boundary import one_batch
from split_runs import OPTIMIZERS, Recorded, fit, mlp_network
from torch import Tensor, nn

from vertical_lightning.codecs.top_k import TopK
from vertical_lightning.defenses.gaussian_noise import GaussianNoise
from vertical_lightning.split.guard import End, Guard, Own

FEATURE_PARTIES = ("party_0", "party_1")


class Squared(Guard):
    """Charges the mean square of its own end, where `party` sends or receives."""

    def __init__(self, sends: bool) -> None:
        super().__init__()
        self.sends = sends

    def penalty(self, tensor: Tensor, end: End, own: Own) -> Tensor | None:
        return tensor.square().sum() if end.sends == self.sends else None


class Borrowing(Guard):
    """A wrong one: what it sends, or charges, depends on another party's weight."""

    def __init__(self, weight: nn.Parameter, where: str) -> None:
        super().__init__()
        self.borrowed = [weight]  # a list, so that it is no parameter of its own
        self.where = where

    def embedding(self, tensor: Tensor, end: End) -> Tensor:
        return tensor + self.borrowed[0].sum() if self.where == "embedding" else tensor

    def penalty(self, tensor: Tensor, end: End, own: Own) -> Tensor | None:
        return tensor.sum() * self.borrowed[0].sum() if self.where == "penalty" else None


def guarded(guards: dict, **options: object) -> Recorded:
    """Train one batch with guards by party and name."""
    network = mlp_network("splitnn", 2, "sum", guards=guards, **options)
    module = Recorded(network, OPTIMIZERS["sgd"])
    fit(module, one_batch(network))
    return module


def check_defense_acts() -> None:
    """Noise stands on what the guarded party sends, and on nothing else.

    Raises:
        AssertionError: It does not.
    """
    module = guarded({"party_0": {"noise": partial(GaussianNoise, std=3.0)}})
    plain = guarded({})
    noisy, clear = ({hop.sender: hop.embedding for hop in one.wire.hops} for one in (module, plain))
    assert 1.5 < (noisy["party_0"] - clear["party_0"]).std() < 6.0
    assert torch.equal(noisy["party_1"], clear["party_1"])


def check_codec_bytes() -> None:
    """Bytes are those of the payload: of five numbers two, and two indices of a byte; two numbers back.

    Raises:
        AssertionError: They are not.
    """
    module = guarded({}, codec=partial(TopK, ratio=2 / 7))
    rows = len(one_batch(module.network)[0].labels)
    assert module.network.hops["party_0", "bob"] == (7,)
    assert module.wire.bytes == {
        way: rows * size for party in FEATURE_PARTIES for way, size in ((f"{party}->bob", 10), (f"bob->{party}", 8))
    }
