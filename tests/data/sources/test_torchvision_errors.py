"""What is said where torchvision's files are missing or broken."""

from __future__ import annotations

from http.client import IncompleteRead
from pathlib import Path

import pytest
import torchvision
from small_torchvision import write_idx

from vertical_lightning.data.sources.cifar10 import Cifar10
from vertical_lightning.data.sources.fashion_mnist import FashionMnist
from vertical_lightning.data.sources.mnist import Mnist
from vertical_lightning.data.sources.torchvision_source import TorchvisionSource

SOURCES = [Mnist, FashionMnist, Cifar10]


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize("source", SOURCES)
def test_without_files_and_network_the_error_says_what_to_put_where(source: type[TorchvisionSource], tmp_path: Path) -> None:
    with pytest.raises(OSError, match="cannot be downloaded") as caught:
        source(tmp_path).load()
    message = str(caught.value)
    assert "no network" in message
    assert "put them here" in message
    for name, checksum in source.files.items():
        assert f"{tmp_path / name} ({checksum}): missing" in message


@pytest.mark.parametrize("error", [IncompleteRead(b""), TimeoutError("too slow"), PermissionError("not yours")])
def test_other_failures_to_download_are_explained_too(
    error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object, **options: object) -> None:
        raise error

    monkeypatch.setattr(torchvision.datasets.mnist, "download_and_extract_archive", fail)
    with pytest.raises(OSError, match=f"(?s)cannot be downloaded.*{type(error).__name__}.*put them here"):
        FashionMnist(tmp_path).load()


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize("name", Mnist.files)
def test_a_corrupt_mnist_file_is_found_and_named(name: str, small_mnist: Path) -> None:
    path = small_mnist / name
    path.write_bytes(path.read_bytes()[:-1] + b"\xff")
    with pytest.raises(ValueError, match=rf"{path} is corrupt: it has sha256:.* expected sha256:.* Delete it"):
        Mnist(small_mnist).load()


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize("broken", [b"", bytes(1000), bytes.fromhex("00000803 00000014 0000001c 0000001c") + bytes(1000)])
def test_an_empty_garbled_or_truncated_file_is_explained(broken: bytes, tmp_path: Path) -> None:
    write_idx(tmp_path / "FashionMNIST" / "raw")
    path = tmp_path / "FashionMNIST" / "raw" / "train-images-idx3-ubyte"
    path.write_bytes(broken)
    with pytest.raises(OSError, match="cannot be read there"):
        FashionMnist(tmp_path).load()


@pytest.mark.usefixtures("no_network")
def test_a_corrupt_archive_is_called_corrupt(tmp_path: Path) -> None:
    (tmp_path / "cifar-10-python.tar.gz").write_bytes(b"half an archive")
    with pytest.raises(OSError, match=r"cifar-10-python.tar.gz \(md5:.*\): corrupt"):
        Cifar10(tmp_path).load()


@pytest.mark.usefixtures("no_network")
def test_numbers_of_rows_are_checked(small_mnist: Path) -> None:
    with pytest.raises(ValueError, match="test_rows=-1 leaves no rows; give at least 1, or null"):
        Mnist(small_mnist, test_rows=-1)
    with pytest.raises(ValueError, match="train_rows=21: mnist has 20 train rows"):
        Mnist(small_mnist, train_rows=21).load()
