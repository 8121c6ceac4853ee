"""The MNIST that travels with the package."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import torch

from vertical_lightning.data.files.entity_ids import entity_ids
from vertical_lightning.data.sources.verified_file import bundled_file
from vertical_lightning.schema import Table


class MnistSample:
    """10,000 + 2,000 real handwritten digits of MNIST's official splits, each digit in proportion; nothing to download.

    `vertical_lightning.data.bundled.make_mnist_sample` drew it. A row has the id that it has in `Mnist`.

    >>> train = MnistSample().load()["train"]
    >>> train.features.shape, train.features.dtype
    (torch.Size([10000, 1, 28, 28]), torch.uint8)
    """

    checksum: ClassVar[str] = "sha256:34920f292de6620ea8f35a62d85594f0c060c8af23ebc60562ee9f64942ec92d"

    def load(self) -> dict[str, Table]:
        """Return `{"train": …, "test": …}`, rows in MNIST's order.

        Raises:
            FileNotFoundError: The installation lacks the file.
            ValueError: The file is corrupt.
        """
        with np.load(bundled_file("mnist_sample.npz", self.checksum)) as arrays:
            return {
                split: Table(
                    ids=entity_ids("mnist", split, arrays[f"{split}_rows"].tolist()),
                    features=torch.from_numpy(arrays[f"{split}_images"]).unsqueeze(1),
                    labels=torch.from_numpy(arrays[f"{split}_labels"]).long(),
                    classes=[str(digit) for digit in range(10)],
                )
                for split in ("train", "test")
            }
