"""The bundled sample is a stratified part of MNIST, and its script makes it anew."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from vertical_lightning.data.bundled.make_mnist_sample import draw, make
from vertical_lightning.data.sources.mnist import Mnist
from vertical_lightning.data.sources.mnist_sample import MnistSample
from vertical_lightning.data.sources.verified_file import BUNDLED

# How often each digit occurs in the official splits.
DIGITS = {
    "train": [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949],
    "test": [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009],
}


@pytest.mark.parametrize("split", ["train", "test"])
def test_digits_are_in_proportion(split: str) -> None:
    table = MnistSample().load()[split]
    exact = torch.tensor(DIGITS[split]) * len(table) / sum(DIGITS[split])
    assert (table.labels.bincount() - exact).abs().max() < 1


def test_draw_takes_no_row_twice_and_keeps_the_order() -> None:
    rows = draw(torch.arange(1000) % 7, size=100, split="train")
    assert rows == sorted(set(rows))
    assert len(rows) == 100
    assert rows != draw(torch.arange(1000) % 7, size=100, split="test")


def test_every_row_is_mnists_own(mnist_root: Path) -> None:
    whole, sample = Mnist(mnist_root).load(), MnistSample().load()
    for split in ("train", "test"):
        row_of = {key: row for row, key in enumerate(whole[split].ids)}
        rows = torch.tensor([row_of[key] for key in sample[split].ids])
        assert torch.equal(whole[split].features[rows], sample[split].features)
        assert torch.equal(whole[split].labels[rows], sample[split].labels)


def test_the_script_makes_the_same_file(mnist_root: Path, tmp_path: Path) -> None:
    make(str(mnist_root), tmp_path / "again.npz")
    with np.load(tmp_path / "again.npz") as again, np.load(BUNDLED / "mnist_sample.npz") as bundled:
        assert again.files == bundled.files
        for name in again.files:
            assert np.array_equal(again[name], bundled[name])
