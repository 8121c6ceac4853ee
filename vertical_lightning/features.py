"""What a party may hold of each entity: a tensor, or named columns."""

from __future__ import annotations

import pandas as pd
from torch import Tensor

Features = Tensor | pd.DataFrame
"""Images `[rows, channels, height, width]` (uint8), or named columns (one row an entity)."""


def take(features: Features, rows: Tensor) -> Features:
    """Copy the given rows, in the given order."""
    if isinstance(features, pd.DataFrame):
        return features.iloc[rows.numpy()].reset_index(drop=True)
    return features[rows]


def numeric_columns(frame: pd.DataFrame) -> list[str]:
    """Return the columns that are numbers, truth values among them; all others are categories."""
    return [name for name in frame.columns if pd.api.types.is_numeric_dtype(frame[name])]


def check_features(features: object) -> None:
    """Refuse a Dataset, an array or a list.

    Raises:
        TypeError: It is no tensor, and no DataFrame.
    """
    if features is not None and not isinstance(features, Tensor | pd.DataFrame):
        raise TypeError(
            f"features are a {type(features).__name__}; give a tensor [rows, …] or a pandas.DataFrame with one row an entity: "
            "torch.stack([row for row, _ in dataset]) makes one of a Dataset, torch.from_numpy of an array."
        )
