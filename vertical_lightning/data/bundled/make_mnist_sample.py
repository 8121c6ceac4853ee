"""Make the bundled MNIST sample anew: `python -m vertical_lightning.data.bundled.make_mnist_sample ROOT [OUTPUT]`.

ROOT holds `MNIST/raw`. The same bytes come out wherever classic zlib does the packing; zlib-ng packs the same arrays
into other bytes.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from vertical_lightning.data.sources.mnist import Mnist
from vertical_lightning.data.sources.verified_file import BUNDLED, digest

SIZES = {"train": 10_000, "test": 2_000}
SEED = 0


def shares(counts: list[int], size: int) -> list[int]:
    """Divide `size` in proportion to `counts`, by largest remainder; a tie goes to the first.

    >>> shares([50, 30, 20], size=5)
    [3, 1, 1]
    """
    exact = [count * size / sum(counts) for count in counts]
    whole = [int(share) for share in exact]
    by_remainder = sorted(range(len(counts)), key=lambda number: whole[number] - exact[number])
    for number in by_remainder[: size - sum(whole)]:
        whole[number] += 1
    return whole


def draw(labels: Tensor, size: int, split: str) -> list[int]:
    """Draw row numbers, each class in proportion, and return them in the official order.

    Rows are ranked by a hash of (seed, split, row) and not by a random generator, so that no library's next version can
    change the draw.
    """

    def rank(row: int) -> bytes:
        return hashlib.sha256(f"mnist_sample/{SEED}/{split}/{row}".encode()).digest()

    rows: list[int] = []
    for number, share in enumerate(shares(labels.bincount().tolist(), size)):
        members = (labels == number).nonzero().flatten().tolist()
        rows += sorted(members, key=rank)[:share]
    return sorted(rows)


def make(root: str, output: Path) -> None:
    """Draw the sample from the whole MNIST under `root` and write it to `output`, ending in `.npz`."""
    arrays: dict[str, Any] = {}
    for split, table in Mnist(root).load().items():
        rows = draw(table.labels, SIZES[split], split)
        assert isinstance(table.features, Tensor)  # images
        arrays[f"{split}_images"] = table.features[rows].squeeze(1).numpy()
        arrays[f"{split}_labels"] = table.labels[rows].numpy().astype(np.uint8)
        arrays[f"{split}_rows"] = np.array(rows, dtype=np.int32)  # where in the whole MNIST: keeps the entity's id
    np.savez_compressed(output, **arrays)


if __name__ == "__main__":
    target = Path(sys.argv[2]) if len(sys.argv) > 2 else BUNDLED / "mnist_sample.npz"
    make(sys.argv[1], target)
    print(f"{target}: {target.stat().st_size} bytes, {digest(target, 'sha256:')}")
