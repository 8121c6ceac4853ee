"""What several tests of the data room need."""

from __future__ import annotations

import hashlib
import os
import random
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest
import torch
import torchvision
from small_torchvision import write_cifar10, write_idx

from vertical_lightning.data.sources.mnist import Mnist


@pytest.fixture
def mnist_root() -> Path:
    """The folder of the whole MNIST, where somebody says that there is one."""
    root = os.environ.get("VL_DATA")
    if root is None or not (Path(root) / "MNIST" / "raw").is_dir():
        pytest.skip("needs the whole MNIST: set VL_DATA to the folder that holds MNIST/raw")
    return Path(root)


@pytest.fixture
def global_random_state_untouched() -> Iterator[None]:
    """Fail if the test read or changed a global random state."""

    def state() -> tuple[list[int], object, bytes]:
        return torch.get_rng_state().tolist(), random.getstate(), repr(np.random.get_state(legacy=True)).encode()

    before = state()
    yield
    assert state() == before


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every download fail as on a machine without a network."""

    def fail(*args: object, **options: object) -> None:
        raise URLError("no network")

    for module in (torchvision.datasets.mnist, torchvision.datasets.cifar):
        monkeypatch.setattr(module, "download_and_extract_archive", fail)


@pytest.fixture
def small_mnist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a small MNIST whose checksums are right."""
    write_idx(tmp_path / "MNIST" / "raw")
    sums = {name: "sha256:" + hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() for name in Mnist.files}
    monkeypatch.setattr(Mnist, "files", sums)
    return tmp_path


@pytest.fixture
def small_cifar10(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a small CIFAR-10 whose checksums are right."""
    folder = tmp_path / "cifar-10-batches-py"
    sums = {name: hashlib.md5((folder / name).read_bytes()).hexdigest() for name in write_cifar10(folder)}
    official = torchvision.datasets.CIFAR10
    monkeypatch.setattr(official, "train_list", [[name, sums[name]] for name in sums if name.startswith("data")])
    monkeypatch.setattr(official, "test_list", [["test_batch", sums["test_batch"]]])
    monkeypatch.setattr(official, "meta", {**official.meta, "md5": sums["batches.meta"]})
    return tmp_path
