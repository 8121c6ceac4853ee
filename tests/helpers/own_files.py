"""Small files as a party might bring them, good and bad."""

from __future__ import annotations

import gzip
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from PIL import Image

SECRET = "secret"
"""Every id of the bad files holds this word, so that a test finds ids in errors."""


def write_csv(path: Path, text: str) -> str:
    """Write lines; a name that ends in .gz compresses them."""
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return str(path)


def write_parquet(path: Path, columns: Mapping[str, Any]) -> str:
    pq.write_table(pa.table(dict(columns)), path)
    return str(path)


def write_npz(path: Path, **arrays: Any) -> str:
    np.savez(path, **arrays)
    return str(path)


def write_pt(path: Path, content: Any) -> str:
    torch.save(content, path)
    return str(path)


def write_images(folder: Path, names: Sequence[str], mode: str = "RGB", size: tuple[int, int] = (3, 2)) -> str:
    """Write images of which the k-th has value k everywhere; width × height."""
    folder.mkdir(exist_ok=True)
    for value, name in enumerate(names):
        channels = len(Image.new(mode, (1, 1)).getbands())
        Image.new(mode, size, (value,) * channels).save(folder / name)
    return str(folder)
