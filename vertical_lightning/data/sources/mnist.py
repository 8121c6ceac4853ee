"""The whole MNIST."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from vertical_lightning.data.sources.torchvision_source import TorchvisionSource
from vertical_lightning.data.sources.verified_file import verified_file
from vertical_lightning.schema import Table


@dataclass(frozen=True)
class Mnist(TorchvisionSource):
    """60,000 + 10,000 handwritten digits, 28 x 28 gray pixels (LeCun, Cortes, Burges; CC BY-SA 3.0).

    Args:
        root: The folder that holds `MNIST/raw`; downloaded there if missing.
        train_rows: Take the first training rows only; None: all 60,000.
        test_rows: Take the first test rows only; None: all 10,000.

    >>> Mnist(root="data", train_rows=0)
    Traceback (most recent call last):
    ValueError: train_rows=0 leaves no rows; give at least 1, or null for all.
    """

    name: ClassVar[str] = "mnist"
    files: ClassVar[Mapping[str, str]] = {
        "MNIST/raw/train-images-idx3-ubyte": "sha256:ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "MNIST/raw/train-labels-idx1-ubyte": "sha256:65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "MNIST/raw/t10k-images-idx3-ubyte": "sha256:0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "MNIST/raw/t10k-labels-idx1-ubyte": "sha256:ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    }
    classes: ClassVar[Sequence[str]] = [str(digit) for digit in range(10)]

    def dataset(self) -> Callable[..., Any]:
        """Return torchvision's MNIST."""
        from torchvision.datasets import MNIST

        return MNIST  # type: ignore[no-any-return]

    def load(self) -> dict[str, Table]:
        """Return the official `{"train": …, "test": …}`.

        torchvision checks the compressed files that it downloads, but reads unpacked ones without a look; so they are
        checked here.

        Raises:
            OSError: The files are missing and cannot be downloaded.
            ValueError: A file is corrupt, or more rows are wanted than there are.
        """
        for name, checksum in self.files.items():
            path = self._folder() / name
            if path.exists():
                verified_file(path, checksum, "Delete it to download it anew, or put a whole one there.")
        return super().load()
