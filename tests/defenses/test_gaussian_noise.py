"""Gaussian noise on embeddings: as much as asked for, the same again where it must be."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from job import SMALL, run

from vertical_lightning.defenses.gaussian_noise import GaussianNoise
from vertical_lightning.split.guard import End

END = End("alice", "alice", "bob")


def test_the_noise_has_the_standard_deviation_that_was_asked_for() -> None:
    noise = GaussianNoise(2.0).embedding(torch.zeros(1000, 50), END)
    assert abs(noise.std() - 2.0) < 0.02 and abs(noise.mean()) < 0.03


def test_every_step_draws_anew_and_evaluation_begins_anew() -> None:
    guard = GaussianNoise(1.0)
    first, second = (guard.embedding(torch.zeros(4), END) for _ in range(2))
    assert not torch.equal(first, second)
    kept = guard.get_extra_state()
    third = guard.embedding(torch.zeros(4), END)
    evaluated = [guard.eval().embedding(torch.zeros(4), END) for _ in range(2)]
    assert torch.equal(*evaluated)
    guard.train().set_extra_state(kept)
    assert torch.equal(guard.embedding(torch.zeros(4), END), third), "evaluation has moved training's draws"


@pytest.mark.parametrize("std", [-1.0, float("inf"), float("nan")])
def test_no_such_noise(std: float) -> None:
    with pytest.raises(ValueError, match=r"defense.gaussian_noise.std=\S+ is not allowed"):
        GaussianNoise(std)


@pytest.mark.filterwarnings("ignore")
def test_little_noise_lets_learn_and_much_does_not(tmp_path: Path) -> None:
    words = ["partition=halves", "architecture.hidden=[16,16]", "trainer.max_epochs=20", "defense=gaussian_noise", *SMALL]
    little = run(tmp_path / "little", *words, "defense.gaussian_noise.std=0.01")
    much = run(tmp_path / "much", *words, "defense.gaussian_noise.std=1000")
    assert little["train/accuracy"] > 0.9
    assert much["train/accuracy"] < 0.5
