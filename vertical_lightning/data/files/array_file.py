"""npz and pt files and folders of images → arrays with names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from vertical_lightning.data.files.reading import attempt, refuse_unknown

Arrays = tuple[list[str], dict[str, Any]]
"""The names of all arrays in a file, and the wanted ones of them."""

Value = TypeVar("Value")

FEATURES = "features"
"""The array with the features."""

IMAGES = (".png", ".jpg", ".jpeg")
_MODES = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4}  # Pillow's names of 8-bit pixels, and their channels


def npz_arrays(path: Path, wanted: Collection[str], where: str) -> Arrays:
    """Read NumPy's archive of arrays; pickled objects, which could run code, are refused."""

    def read() -> Arrays:
        with np.load(path, allow_pickle=False) as file:
            return list(file.files), {name: file[name] for name in wanted if name in file.files}

    return attempt(read, where, "npz (arrays of numbers or text, saved by numpy.savez, without objects)")


def pt_arrays(path: Path, wanted: Collection[str], where: str) -> Arrays:
    """Read a dict that `torch.save` wrote; other objects, which could run code, are refused."""

    def read() -> Arrays:
        loaded = torch.load(path, map_location="cpu", weights_only=True)
        return list(map(str, loaded)), {name: loaded[name] for name in wanted if name in loaded}

    return attempt(read, where, "pt (a dict of tensors or lists, saved by torch.save)")


def image_arrays(folder: Path, where: str) -> Arrays:
    """Read the images that lie directly in a folder, in the order of their names, which are the ids and in no error.

    Raises:
        ValueError: There is no image, one is unreadable or has no 8-bit gray or color channels, or they are not alike.
    """
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in IMAGES and not path.name.startswith("."))
    if not files:
        beside = f" ({remark})" if (remark := left_out(folder)) else ""
        raise ValueError(
            f"{where} is a folder without images{beside}. Put one image an entity directly into it: {', '.join(IMAGES)}."
        )
    kinds = Counter(_each(_kind, files, where))
    (mode, width, height), *others = kinds
    if others or mode not in _MODES:
        told = ", ".join(f"{count} of {m} {w} × {h}" for (m, w, h), count in kinds.most_common(5))
        raise ValueError(
            f"{where} holds images of these kinds: {told}{', …' if len(kinds) > 5 else ''}. All must be of one mode and size, "
            f"the mode one of {', '.join(_MODES)}: convert or resize them."
        )
    pixels = torch.empty(len(files), _MODES[mode], height, width, dtype=torch.uint8)
    for row, image in enumerate(_each(_pixels, files, where)):
        pixels[row] = image
    arrays = {"id": [path.stem for path in files], FEATURES: pixels}
    return list(arrays), arrays


def left_out(folder: Path) -> str:
    """Return how many files of a folder are not read, images in sub-folders among them; empty if all are read."""
    others = [path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")]
    within = sum(path.suffix.lower() in IMAGES for path in others if path.parent != folder)
    foreign = sum(path.suffix.lower() not in IMAGES for path in others)
    told = {"images in sub-folders": within, "files of another type": foreign}
    counts = [f"{count:,} {what}" for what, count in told.items() if count]
    return f"{' and '.join(counts)} left out" if counts else ""


def _each(read: Callable[[Path], Value], files: Sequence[Path], where: str) -> Iterator[Value]:
    for row, path in enumerate(files):
        yield attempt(partial(read, path), f"{where}: image {row} (from 0, by name)", "an image")


def _kind(path: Path) -> tuple[str, int, int]:
    with Image.open(path) as image:  # reads the head of the file only
        return image.mode, image.width, image.height


def _pixels(path: Path) -> Tensor:
    with Image.open(path) as image:
        return torch.from_numpy(np.array(image)).reshape(image.height, image.width, -1).permute(2, 0, 1)


def rows_of(arrays: Arrays, names: Collection[str], where: str) -> dict[str, Any]:
    """Return the named arrays with one entry a row: `features` as a tensor, the others as lists of Python's own values.

    Raises:
        ValueError: One is not there or not of that form, or they differ in length.
    """
    known, values = arrays
    refuse_unknown(names, known, "array", where)
    held: dict[str, Any] = {
        name: _features(values[name], where) if name == FEATURES else _one_a_row(values[name], name, where) for name in names
    }
    lengths = {name: len(value) for name, value in held.items()}
    if len(set(lengths.values())) > 1 or 0 in lengths.values():
        told = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise ValueError(f"{where} has arrays of these lengths: {told}. Each must have one row an entity, and at least one.")
    return held


def _one_a_row(value: Any, name: str, where: str) -> list[Any]:
    if isinstance(value, np.ndarray | Tensor) and value.ndim == 1:
        return list(value.tolist())
    if isinstance(value, list | tuple):
        return list(value)
    shape = list(value.shape) if isinstance(value, np.ndarray | Tensor) else type(value).__name__
    raise ValueError(
        f"{where}: {name} is {shape}; it must hold one value a row. Save it as an array [rows] (in .pt, also a list)."
    )


def _features(value: Any, where: str) -> Tensor:
    """Return `[rows, …]`: uint8 as it is, other integers as int64, all other numbers as float32 or float64."""
    # `.data`: a saved parameter brings no gradient along.
    tensor = attempt(lambda: torch.as_tensor(_native(value)).data, f"{where}: features", "a tensor of numbers [rows, …]")
    if tensor.ndim == 0 or tensor.is_complex() or tensor.layout != torch.strided:
        raise ValueError(
            f"{where}: features is {list(tensor.shape)} of {tensor.dtype}, {tensor.layout}; it must be a dense tensor of real "
            "numbers [rows, …]. Save it so."
        )
    exact = (torch.uint8, torch.float32, torch.float64)
    whole = not tensor.is_floating_point() and tensor.dtype != torch.uint64
    numbers = tensor if tensor.dtype in exact else tensor.to(torch.int64 if whole else torch.float64)
    return numbers.unsqueeze(1) if numbers.ndim == 1 else numbers


def _native(value: Any) -> Any:
    """Return an array in this machine's order of bytes, and in a width that torch has."""
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "iuf":
        return value
    return value.astype(np.float64 if value.dtype.itemsize > 8 else value.dtype.newbyteorder("="), copy=False)
