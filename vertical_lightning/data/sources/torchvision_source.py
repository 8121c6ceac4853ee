"""What the torchvision data sets share: download, errors, conversion to a `Table`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor

from vertical_lightning.data.files.entity_ids import entity_ids
from vertical_lightning.data.sources.verified_file import digest
from vertical_lightning.schema import Table

# What torchvision raises where it cannot download (no network, no write access) or cannot read what it found.
_FAILURES = (OSError, HTTPException, RuntimeError, ValueError, AssertionError, EOFError)


@dataclass(frozen=True)
class TorchvisionSource(ABC):
    """An image data set that torchvision reads, and downloads into `root` if it is missing.

    Attributes:
        name: Names the data set in ids: an entity keeps its id when only the first rows are taken.
        files: Which files to put where by hand: path under `root` → checksum.
        classes: The name of each class number.
        shape: Channels, height and width of an image.
        official_rows: How many training rows there are.
    """

    root: str | Path
    train_rows: int | None = None
    test_rows: int | None = None

    name: ClassVar[str]
    files: ClassVar[Mapping[str, str]]
    classes: ClassVar[Sequence[str]]
    shape: ClassVar[tuple[int, int, int]] = (1, 28, 28)
    official_rows: ClassVar[int] = 60_000

    def __post_init__(self) -> None:
        """Refuse an empty split before anything is downloaded."""
        for split, rows in self._wanted().items():
            if rows is not None and rows < 1:
                raise ValueError(f"{split}_rows={rows} leaves no rows; give at least 1, or null for all.")

    @abstractmethod
    def dataset(self) -> Callable[..., Any]:
        """Return torchvision's class; imported inside, so that other data sets do not pay for torchvision."""

    def load(self) -> dict[str, Table]:
        """Return the official `{"train": …, "test": …}`.

        Raises:
            OSError: The files are missing or broken, and cannot be downloaded.
            ValueError: More rows are wanted than there are.
        """
        return {split: self._table(split, rows) for split, rows in self._wanted().items()}

    def example(self, rows: int) -> tuple[Table, int, bool]:
        """Say what the data set is like without a download.

        Returns:
            The training table if its files lie in `root`, else noise of its shape with `rows` rows; how many training rows
            there are; whether the table is real.
        """
        if all((self._folder() / name).is_file() for name in self.files):
            table = self._table("train", self.train_rows)
            return table, len(table), True
        noise = torch.randint(0, 256, (rows, *self.shape), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
        labels = torch.arange(rows) % len(self.classes)
        table = Table(entity_ids(self.name, "noise", range(rows)), noise, labels, list(self.classes))
        return table, self.train_rows or self.official_rows, False

    def _wanted(self) -> dict[str, int | None]:
        return {"train": self.train_rows, "test": self.test_rows}

    def _table(self, split: str, wanted: int | None) -> Table:
        try:
            official = self.dataset()(self._folder(), train=split == "train", download=True)
        except _FAILURES as error:
            raise OSError(self._explain(error)) from error
        available = len(official.targets)
        rows = available if wanted is None else wanted
        if rows > available:
            raise ValueError(f"{split}_rows={rows}: {self.name} has {available} {split} rows; give no more, or null.")
        return Table(
            ids=entity_ids(self.name, split, range(rows)),
            features=_channels_first(torch.as_tensor(official.data[:rows])),
            labels=torch.as_tensor(official.targets[:rows], dtype=torch.int64).clone(),
            classes=list(self.classes),
        )

    def _folder(self) -> Path:
        return Path(self.root).expanduser()

    def _explain(self, error: BaseException) -> str:
        files = [f"  {self._folder() / name} ({self.files[name]}): {self._state(name)}" for name in self.files]
        lines = [
            f"{self.name} is not in {self._folder().absolute()} and cannot be downloaded, or cannot be read there "
            f"({type(error).__name__}: {error}).",
            "Delete what is broken, fetch these files on a machine with a network, put them here, and start again:",
            *files,
        ]
        return "\n".join(lines)

    def _state(self, name: str) -> str:
        path = self._folder() / name
        if not path.is_file():
            return "missing"
        return "in order" if digest(path, self.files[name]) == self.files[name] else "corrupt"


def _channels_first(images: Tensor) -> Tensor:
    """Turn `[rows, height, width]` or `[rows, height, width, 3]` into `[rows, channels, height, width]`.

    Always a copy: the first rows must not keep the whole data set in memory.
    """
    ordered = images.unsqueeze(1) if images.dim() == 3 else images.permute(0, 3, 1, 2)
    return ordered.clone(memory_format=torch.contiguous_format)
