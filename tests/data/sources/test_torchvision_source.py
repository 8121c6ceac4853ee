"""torchvision's own files in, tables out."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from small_torchvision import write_idx

from vertical_lightning.data.sources.cifar10 import Cifar10
from vertical_lightning.data.sources.fashion_mnist import FashionMnist
from vertical_lightning.data.sources.mnist import Mnist
from vertical_lightning.data.sources.torchvision_source import TorchvisionSource

SOURCES = [Mnist, FashionMnist, Cifar10]


@pytest.mark.usefixtures("no_network", "global_random_state_untouched")
def test_mnists_format_becomes_tables(small_mnist: Path) -> None:
    tables = Mnist(small_mnist).load()
    assert tables["train"].features.shape == (20, 1, 28, 28)
    assert tables["train"].features.dtype == torch.uint8
    assert tables["test"].features[:, 0, 0, 0].tolist() == list(range(10))
    assert tables["train"].labels.tolist() == [*range(10), *range(10)]
    assert tables["train"].labels.dtype == torch.int64


@pytest.mark.usefixtures("no_network")
def test_the_first_rows_keep_their_ids_and_let_the_others_go(small_mnist: Path) -> None:
    whole, first = Mnist(small_mnist).load(), Mnist(small_mnist, train_rows=3, test_rows=2).load()
    assert {split: len(table) for split, table in first.items()} == {"train": 3, "test": 2}
    assert first["train"].ids == whole["train"].ids[:3]
    assert torch.equal(first["train"].features, whole["train"].features[:3])
    assert first["train"].features.untyped_storage().nbytes() == 3 * 28 * 28


@pytest.mark.usefixtures("no_network")
def test_fashion_mnists_format_becomes_tables(tmp_path: Path) -> None:
    write_idx(tmp_path / "FashionMNIST" / "raw")
    table = FashionMnist(tmp_path, test_rows=4).load()["test"]
    assert table.features.shape == (4, 1, 28, 28)
    assert table.classes[0] == "T-shirt/top"


@pytest.mark.usefixtures("no_network")
def test_cifar10s_channels_come_first(small_cifar10: Path) -> None:
    tables = Cifar10(small_cifar10, train_rows=6).load()
    assert tables["train"].features.shape == (6, 3, 32, 32)
    assert tables["train"].features[0, :, 5, 7].tolist() == [0, 1, 2]
    assert tables["train"].features.is_contiguous()
    assert tables["train"].labels.tolist() == [1, 1, 1, 1, 2, 2]
    assert len(tables["test"]) == 4


@pytest.mark.parametrize("source", SOURCES)
def test_the_names_and_checksums_are_torchvisions(source: type[TorchvisionSource]) -> None:
    official = source("data").dataset()
    names = getattr(official, "classes", None)
    if source is FashionMnist:
        assert source.classes == names
        assert [(Path(name).name, sum_.removeprefix("md5:")) for name, sum_ in source.files.items()] == official.resources
    if source is Mnist:
        assert [name[0] for name in names] == source.classes
    if source is Cifar10:
        assert source.files == {official.filename: f"md5:{official.tgz_md5}"}


def test_the_real_mnist_loads(mnist_root: Path) -> None:
    tables = Mnist(mnist_root).load()
    assert {split: len(table) for split, table in tables.items()} == {"train": 60_000, "test": 10_000}
    assert tables["train"].labels[:5].tolist() == [5, 0, 4, 1, 9]
