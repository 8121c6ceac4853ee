"""Each party turns its own columns into float32, by what its own training rows say and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, Self

import pandas as pd
import torch
from torch import Tensor

from vertical_lightning.data.table_encoding import TableEncoding
from vertical_lightning.schema import Features, PartyTable


class Preprocessor(Protocol):
    """Fitted once on one party's own training rows, then applied to all its rows."""

    def fit(self, features: Features) -> Self:
        """Learn the scaling from training rows."""

    def transform(self, features: Features) -> Tensor:
        """Return float32 `[rows, …]`, a copy."""


def preprocessor(training: Features, image_range: tuple[float, float] = (0.0, 1.0)) -> Preprocessor:
    """Choose by type and fit: named columns are encoded, uint8 tensors are pixels, other tensors are standardized.

    Args:
        training: One party's own training rows.
        image_range: The numbers that black and white become.

    >>> preprocessor(torch.zeros(2, 1, 28, 28, dtype=torch.uint8))
    ImageScaling(low=0.0, high=1.0)
    """
    if isinstance(training, pd.DataFrame):
        return TableEncoding().fit(training)
    return ImageScaling(*image_range) if training.dtype == torch.uint8 else Standardization().fit(training)


@dataclass(frozen=True)
class ImageScaling:
    """Pixels 0 … 255 → [low, high]. The range is the file format's, so nothing is learned from the rows.

    >>> ImageScaling().transform(torch.tensor([[0, 51, 255]], dtype=torch.uint8))
    tensor([[0.0000, 0.2000, 1.0000]])
    """

    low: float = 0.0
    high: float = 1.0

    def __post_init__(self) -> None:
        """Refuse an empty range."""
        if not self.low < self.high:
            raise ValueError(f"low={self.low}, high={self.high} is no range; give low below high, such as 0 and 1.")

    def fit(self, features: Features) -> Self:
        """Learn nothing."""
        return self

    def transform(self, features: Features) -> Tensor:
        """Return float32 pixels of the same shape."""
        return _tensor(features).to(torch.float32, copy=True).div_(255).mul_(self.high - self.low).add_(self.low)


class Standardization:
    """Numbers → mean 0, standard deviation 1, column by column; a missing one (NaN) → the mean, which is 0.

    A column constant in training (spread below 1e-9 of its mean: rounding) is only centered.

    >>> Standardization().fit(torch.tensor([[1.0], [3.0]])).transform(torch.tensor([[5.0]]))
    tensor([[3.]])
    """

    def fit(self, features: Features) -> Self:
        """Learn each column's mean and spread."""
        numbers = _tensor(features).double()
        self.mean = numbers.nanmean(0).nan_to_num(0)
        spread = (numbers - self.mean).square().nanmean(0).sqrt()
        self.spread = torch.where(spread > 1e-9 * self.mean.abs(), spread, 1)
        return self

    def transform(self, features: Features) -> Tensor:
        """Return float32 numbers of the same shape."""
        scaled = (_tensor(features).double() - self.mean) / self.spread
        return torch.where(scaled.isnan(), 0, scaled).float()


def _tensor(features: Features) -> Tensor:
    if isinstance(features, pd.DataFrame):
        raise TypeError("Named columns were given to a preprocessor for tensors; use TableEncoding.")
    return features


def scale(party: str, parts: Mapping[str, Mapping[str, PartyTable]], image_range: tuple[float, float]) -> dict[str, Tensor]:
    """Scale one party's columns, split by split, as its own training rows say; empty for a party without columns."""
    held = {split: tables[party].features for split, tables in parts.items()}
    features = {split: block for split, block in held.items() if block is not None}
    if not features:
        return {}
    check_alike(party, features)
    scaling = preprocessor(features["train"], image_range)
    return {split: scaling.transform(block) for split, block in features.items()}


def check_alike(party: str, features: Mapping[str, Features]) -> None:
    """Refuse tensors that differ in shape or kind between training and test: some would be broadcast without a word."""
    kinds = {split: (tuple(block.shape[1:]), block.dtype) for split, block in features.items() if isinstance(block, Tensor)}
    if len(set(kinds.values())) > 1:
        found = ", ".join(f"{split} {list(shape)} of {dtype}" for split, (shape, dtype) in kinds.items())
        raise ValueError(f"{party}'s features differ from table to table: {found}. Give all rows one shape and one dtype.")
