"""Numbers → mean 0, standard deviation 1, in double precision whatever they were stored as."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from vertical_lightning.schema import Features

SCALINGS = ("standard", "none", "per_channel")

_ROWS = 4096
"""Rows that are scaled at once: the double precision copy of them all would be twice the result."""


class Standardization:
    """Shifts and stretches every column by the training rows' mean and spread; a missing number (NaN) is their median.

    A column constant in training (spread below 1e-9 of its mean: rounding) is only centered.

    Args:
        scaling: `standard`; `per_channel`, one mean and one spread for all positions of a channel, `[rows, channels, …]`; or
            `none`, which only fills in medians.

    >>> Standardization().fit(torch.tensor([[1.0], [3.0]])).transform(torch.tensor([[5.0]]))
    tensor([[3.]])
    """

    def __init__(self, scaling: str = "standard") -> None:
        self.scaling = scaling

    def fit(self, features: Features) -> Self:
        """Learn medians, means and spreads `[columns, …]`."""
        values = tensor_of(features).double()
        self.median = _medians(values)
        values = torch.where(values.isnan(), self.median, values)
        if self.scaling == "none":
            self.mean, self.spread = torch.zeros_like(self.median), torch.ones_like(self.median)
            return self
        pooled = (0, *range(2, values.dim())) if self.scaling == "per_channel" else (0,)
        mean = values.mean(pooled, keepdim=True)
        spread = (values - mean).square().mean(pooled, keepdim=True).sqrt()
        self.mean, self.spread = mean[0], torch.where(spread > 1e-9 * mean.abs(), spread, 1)[0]
        return self

    def transform(self, features: Features) -> Tensor:
        """Return float32 numbers of the same shape, a copy."""
        numbers = tensor_of(features)
        scaled = torch.empty(numbers.shape, dtype=torch.float32)
        for rows, kept in zip(torch.split(numbers, _ROWS), torch.split(scaled, _ROWS), strict=True):
            values = rows.double()
            kept.copy_((torch.where(values.isnan(), self.median, values) - self.mean) / self.spread)
        return scaled

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps."""
        return {"scaling": self.scaling, "median": self.median, "mean": self.mean, "spread": self.spread}

    @classmethod
    def restored(cls, state: Mapping[str, Any]) -> Self:
        """Return what a checkpoint kept."""
        restored = cls(state["scaling"])
        restored.median, restored.mean, restored.spread = state["median"], state["mean"], state["spread"]
        return restored


def tensor_of(features: Features) -> Tensor:
    """Refuse named columns."""
    if isinstance(features, pd.DataFrame):
        raise TypeError("Named columns were given to a preprocessor for tensors; use TableEncoding.")
    return features


def _medians(values: Tensor) -> Tensor:
    """Return every column's median; 0 for a column without any number."""
    known = ~values.isnan().flatten(1).all(0)
    columns = values.flatten(1).numpy()
    medians = np.zeros(columns.shape[1])
    if len(values):
        medians[known.numpy()] = np.nanmedian(columns[:, known.numpy()], axis=0)
    return torch.from_numpy(medians).reshape(values.shape[1:])
