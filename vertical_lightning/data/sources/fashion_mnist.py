"""Clothes in MNIST's format."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from vertical_lightning.data.sources.torchvision_source import TorchvisionSource


@dataclass(frozen=True)
class FashionMnist(TorchvisionSource):
    """60,000 + 10,000 pictures of clothes, 28 x 28 gray pixels (Xiao, Rasul, Vollgraf 2017, arXiv:1708.07747; MIT).

    Args:
        root: The folder that holds `FashionMNIST/raw`; downloaded there if missing.
        train_rows: Take the first training rows only; None: all 60,000.
        test_rows: Take the first test rows only; None: all 10,000.

    >>> FashionMnist(root="data").classes[9]
    'Ankle boot'
    """

    name: ClassVar[str] = "fashion_mnist"
    # torchvision unpacks these itself where it finds them.
    files: ClassVar[Mapping[str, str]] = {
        "FashionMNIST/raw/train-images-idx3-ubyte.gz": "md5:8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        "FashionMNIST/raw/train-labels-idx1-ubyte.gz": "md5:25c81989df183df01b3e8a0aad5dffbe",
        "FashionMNIST/raw/t10k-images-idx3-ubyte.gz": "md5:bef4ecab320f06d8554ea6380940ec79",
        "FashionMNIST/raw/t10k-labels-idx1-ubyte.gz": "md5:bb300cfdad3c16e7a12a480ee83cd310",
    }
    classes: ClassVar[Sequence[str]] = [
        *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
        *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
    ]

    def dataset(self) -> Callable[..., Any]:
        """Return torchvision's FashionMNIST."""
        from torchvision.datasets import FashionMNIST

        return FashionMNIST  # type: ignore[no-any-return]
