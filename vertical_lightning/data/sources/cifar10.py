"""Small color photographs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from vertical_lightning.data.sources.torchvision_source import TorchvisionSource


@dataclass(frozen=True)
class Cifar10(TorchvisionSource):
    """50,000 + 10,000 color photographs of ten kinds of things, 3 x 32 x 32 pixels (Krizhevsky 2009).

    Args:
        root: The folder that holds `cifar-10-batches-py`; downloaded there if missing.
        train_rows: Take the first training rows only; None: all 50,000.
        test_rows: Take the first test rows only; None: all 10,000.

    >>> Cifar10(root="data").classes[3]
    'cat'
    """

    name: ClassVar[str] = "cifar10"
    shape: ClassVar[tuple[int, int, int]] = (3, 32, 32)
    official_rows: ClassVar[int] = 50_000
    # torchvision unpacks it itself where it finds it, and checks what it unpacked.
    files: ClassVar[Mapping[str, str]] = {"cifar-10-python.tar.gz": "md5:c58f30108f718f92721af3b95e74349a"}
    classes: ClassVar[Sequence[str]] = [
        *("airplane", "automobile", "bird", "cat", "deer"),
        *("dog", "frog", "horse", "ship", "truck"),
    ]

    def dataset(self) -> Callable[..., Any]:
        """Return torchvision's CIFAR10."""
        from torchvision.datasets import CIFAR10

        return CIFAR10  # type: ignore[no-any-return]
