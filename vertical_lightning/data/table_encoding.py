"""Named columns → one block of numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import pandas as pd
import torch
from torch import Tensor

from vertical_lightning.schema import Features, numeric_columns


class TableEncoding:
    """Numbers standardized, then categories one-hot: one float32 block `[rows, width]`.

    A column is a category if its pandas dtype is not numeric. A missing number becomes the training median. A missing
    category is a category of its own; one not seen in training is a row of zeros.

    >>> frame = pd.DataFrame({"job": ["cook", "nurse"], "age": [20, 40]})
    >>> TableEncoding().fit(frame).transform(frame)
    tensor([[-1.,  1.,  0.],
            [ 1.,  0.,  1.]])
    """

    def fit(self, features: Features) -> Self:
        """Learn medians, means, spreads and categories."""
        frame = _frame(features)
        numbers = set(numeric_columns(frame))
        self.numeric = {name: name in numbers for name in frame.columns}
        self.encoder = _column_transformer(self.numeric)
        self.encoder.fit(self._plain(frame))
        return self

    def transform(self, features: Features) -> Tensor:
        """Return float32 `[rows, width]`.

        Raises:
            ValueError: The columns are not those of the training rows.
        """
        frame = _frame(features)
        if set(frame.columns) != set(self.numeric):
            raise ValueError(f"Columns {list(frame.columns)} differ from those in training; give {list(self.numeric)}.")
        if frame.empty:  # scikit-learn refuses to transform no rows
            return torch.empty(0, len(self.encoder.get_feature_names_out()))
        return torch.as_tensor(self.encoder.transform(self._plain(frame)), dtype=torch.float32)

    def _plain(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Make all kinds of numbers float64 and all kinds of categories str or None, as scikit-learn can compare."""
        convert = {True: _numbers, False: _words}
        return pd.DataFrame({name: convert[numeric](frame[name]) for name, numeric in self.numeric.items()})


def _column_transformer(numeric: Mapping[str, bool]) -> Any:
    """Assemble scikit-learn's parts; imported here, so that images do not pay for it."""
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    scaling = make_pipeline(SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler())
    one_hot = OneHotEncoder(handle_unknown="ignore", sparse_output=False, dtype="float32")
    numbers = [name for name in numeric if numeric[name]]
    categories = [name for name in numeric if not numeric[name]]
    return ColumnTransformer([("numbers", scaling, numbers), ("categories", one_hot, categories)])


def _numbers(column: pd.Series[Any]) -> pd.Series[Any]:
    return pd.Series(column.to_numpy(dtype="float64", na_value=float("nan")))


def _words(column: pd.Series[Any]) -> pd.Series[Any]:
    # dtype object: pandas would turn None into NaN in some columns and not in others, and the encoder tells them apart.
    pairs = zip(column, column.isna(), strict=True)
    return pd.Series([None if missing else str(value) for value, missing in pairs], dtype=object)


def _frame(features: Features) -> pd.DataFrame:
    if isinstance(features, Tensor):
        raise TypeError("A tensor was given to TableEncoding; use ImageScaling or Standardization.")
    return features
