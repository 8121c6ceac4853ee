"""A party's own features, as it meant them: columns made numbers or categories, and what no network can learn from refused."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import pandas as pd
import torch

from vertical_lightning.psi.identifiers import row_numbers
from vertical_lightning.schema import Features

_FEW = 100
"""A text column with more values than these, most of them in one row only, is no category."""


def feature_columns(frame: pd.DataFrame, categories: Collection[str], numbers: Collection[str], where: str) -> pd.DataFrame:
    """Return columns whose dtype says what they are: numeric ones are numbers, all others categories.

    Args:
        frame: The columns as the file has them; its index holds the row numbers that errors give.
        categories: Columns to take as categories.
        numbers: Columns to take as numbers.
        where: Whose file, and which.

    Raises:
        ValueError: A column holds times, infinite numbers or free text, or no numbers although it should.

    >>> feature_columns(pd.DataFrame({"zip": [4711, 4712], "age": ["31", "32"]}), ["zip"], ["age"], "bank").to_dict("list")
    {'zip': ['4711', '4712'], 'age': [31, 32]}
    """
    return pd.DataFrame({name: _typed(frame[name], name in categories, name in numbers, where) for name in frame.columns})


def _typed(column: pd.Series[Any], as_category: bool, as_number: bool, where: str) -> pd.Series[Any]:
    if as_category:
        return column.astype("string")
    if column.dtype.kind in "mM":
        raise ValueError(
            f"{where}: column {column.name} holds dates or times, which are neither numbers nor categories. Write what matters "
            "of them as numbers (an age in days, the hour), list it in categories=, or leave it out by columns=."
        )
    if as_number:
        column = _number(column, where)
    elif not pd.api.types.is_numeric_dtype(column):
        _refuse_free_text(column, where)
    return column


def _number(column: pd.Series[Any], where: str) -> pd.Series[Any]:
    if pd.api.types.is_numeric_dtype(column):
        return column
    numbers = pd.to_numeric(column.astype(object), errors="coerce")
    bad = column.index[column.notna() & numbers.isna()]
    if len(bad):
        raise ValueError(
            f"{where}: column {column.name} is listed in numbers=, but {len(bad)} of its values are no numbers "
            f"({row_numbers(bad.tolist())}). Repair them or leave them empty, or do not list the column."
        )
    return numbers


def _refuse_free_text(column: pd.Series[Any], where: str) -> None:
    values, numbers = column.nunique(), pd.to_numeric(column.astype(object), errors="coerce")
    held = int(column.notna().sum())
    if held > numbers.notna().sum() > 0.9 * held:
        bad = column.index[column.notna() & numbers.isna()].tolist()
        raise ValueError(
            f"{where}: column {column.name} holds numbers, but {len(bad)} of its {held} values are none ({row_numbers(bad)}). "
            "Repair them or leave them empty; or list it in categories=, if it is meant."
        )
    if values > _FEW and 2 * values > len(column):
        raise ValueError(
            f"{where}: column {column.name} has {values} different values in {len(column)} rows: almost surely an id or free "
            "text, from which a network learns these rows by heart. Leave it out by columns=; or, if it is meant, list it in "
            "categories= (or in numbers=, if it should hold numbers)."
        )


def refuse_infinite(features: Features, where: str) -> None:
    """Refuse features with infinite numbers: one alone makes a column's mean infinite.

    Raises:
        ValueError: There are some; it names columns and counts.
    """
    if isinstance(features, pd.DataFrame):
        numeric = features.select_dtypes(["number"])
        counts = {str(name): _infinite(numeric[name]) for name in numeric.columns}
    else:
        counts = {"features": int(torch.isinf(features).sum())}
    if found := [f"{count} in {name}" for name, count in counts.items() if count]:
        raise ValueError(
            f"{where}: infinite numbers: {', '.join(found)}. Only finite ones are allowed: leave these cells empty."
        )


def _infinite(column: pd.Series[Any]) -> int:
    with np.errstate(over="ignore"):  # what float32 cannot hold is infinite in training
        return int(np.isinf(column.to_numpy(dtype="float64", na_value=float("nan")).astype("float32")).sum())


def missing_values(features: Features) -> int:
    """Count the missing cells (columns) or numbers (tensors).

    >>> missing_values(pd.DataFrame({"age": [31, None], "job": [None, "cook"]}))
    2
    """
    if isinstance(features, pd.DataFrame):
        return int(features.isna().to_numpy().sum())
    return int(torch.isnan(features).sum())
