"""Named columns → one block of numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from vertical_lightning.data.files.codes import codes
from vertical_lightning.data.standardization import Standardization
from vertical_lightning.schema import Features


def numeric_columns(frame: pd.DataFrame) -> list[str]:
    """Return the columns that are numbers, truth values among them; all others are categories."""
    return [name for name in frame.columns if pd.api.types.is_numeric_dtype(frame[name])]


class TableEncoding:
    """Numbers standardized, then categories one-hot: one float32 block `[rows, width]`.

    A column is a category if its pandas dtype is not numeric. A missing number becomes the training median. A missing
    category is a category of its own; one not seen in training is a row of zeros.

    Args:
        scaling: Of the numbers, as in `Standardization`.

    Attributes:
        numbers: The columns of numbers, in order.
        categories: By column, the categories in order; a missing one, which is None, is the last.

    >>> frame = pd.DataFrame({"job": ["cook", "nurse"], "age": [20, 40]})
    >>> TableEncoding().fit(frame).transform(frame)
    tensor([[-1.,  1.,  0.],
            [ 1.,  0.,  1.]])
    """

    def __init__(self, scaling: str = "standard") -> None:
        self.standardization = Standardization(scaling)

    def fit(self, features: Features) -> Self:
        """Learn medians, means, spreads and categories."""
        frame = _frame(features)
        self.numbers = numeric_columns(frame)
        self.standardization.fit(_block(frame, self.numbers))
        self.categories = {name: _distinct(codes(frame[name])) for name in frame.columns if name not in self.numbers}
        return self

    def transform(self, features: Features) -> Tensor:
        """Return float32 `[rows, width]`.

        Raises:
            ValueError: The columns are not those of the training rows.
        """
        frame = self._checked(features)
        numbers = self.standardization.transform(_block(frame, self.numbers))
        one_hot = [_one_hot(codes(frame[name]), known) for name, known in self.categories.items()]
        return torch.cat([numbers, *one_hot], dim=1)

    def unseen(self, features: Features) -> dict[str, int]:
        """Count, by column, the values whose category did not occur in training."""
        frame = self._checked(features)
        counts = {name: int((_places(codes(frame[name]), known) < 0).sum()) for name, known in self.categories.items()}
        return {name: count for name, count in counts.items() if count}

    def names(self) -> list[str]:
        """Name what the block's columns are, in order; numbers come first.

        >>> TableEncoding().fit(pd.DataFrame({"job": ["cook", None], "age": [20, 40]})).names()
        ['age', 'job=cook', 'job missing']
        """
        one_hot = [
            f"{name} missing" if code is None else f"{name}={code}" for name, known in self.categories.items() for code in known
        ]
        return [*self.numbers, *one_hot]

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps."""
        categories = {name: list(known) for name, known in self.categories.items()}
        return {"numbers": list(self.numbers), "categories": categories, **self.standardization.state_dict()}

    @classmethod
    def restored(cls, state: Mapping[str, Any]) -> Self:
        """Return what a checkpoint kept."""
        restored = cls(state["scaling"])
        restored.numbers, restored.categories = list(state["numbers"]), dict(state["categories"])
        restored.standardization = Standardization.restored(state)
        return restored

    def _checked(self, features: Features) -> pd.DataFrame:
        frame, known = _frame(features), [*self.numbers, *self.categories]
        if set(frame.columns) != set(known):
            raise ValueError(f"Columns {list(frame.columns)} differ from those in training; give {known}.")
        return frame


def _block(frame: pd.DataFrame, names: list[str]) -> Tensor:
    """Return all kinds of numbers as float64 `[rows, columns]`, missing ones NaN."""
    block = np.empty((len(frame), len(names)))
    for place, name in enumerate(names):
        block[:, place] = frame[name].to_numpy(dtype="float64", na_value=float("nan"))
    return torch.from_numpy(block)


def _distinct(column: pd.Series[Any]) -> list[str | None]:
    return [*sorted(column.dropna().unique()), *([None] if column.isna().any() else [])]


def _places(column: pd.Series[Any], known: list[str | None]) -> np.ndarray[Any, Any]:
    """Return each value's number among the known ones, -1 where it is none."""
    if len(known) == 0:
        return np.full(len(column), -1)
    return pd.Index(known, dtype=object).get_indexer(pd.Index(column, dtype=object))


def _one_hot(column: pd.Series[Any], known: list[str | None]) -> Tensor:
    places = torch.from_numpy(_places(column, known).astype("int64"))
    block = torch.zeros(len(places), len(known))
    rows = (places >= 0).nonzero().flatten()
    block[rows, places[rows]] = 1
    return block


def _frame(features: Features) -> pd.DataFrame:
    if isinstance(features, Tensor):
        raise TypeError("A tensor was given to TableEncoding; use ImageScaling or Standardization.")
    return features
