"""A party's own features, as it meant them: columns made numbers or categories, and what no network can learn from refused."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from vertical_lightning.data.files.codes import codes
from vertical_lightning.data.files.written_numbers import refuse_misread
from vertical_lightning.psi.identifiers import row_numbers
from vertical_lightning.schema import Features

_FEW = 100
"""A text column with more values than these, most of them in one row only, is no category."""

_HUGE, _TIMES = 1e15, 1e6
"""A number beyond the first, and so many times its column's median size, is none that was measured."""


def feature_columns(
    frame: pd.DataFrame, categories: Collection[str], numbers: Collection[str], where: str, most: int = 1000
) -> pd.DataFrame:
    """Return columns whose dtype says what they are: numeric ones are numbers, all others categories.

    Args:
        frame: The columns as the file has them; its index holds the row numbers that errors give.
        categories: Columns to take as categories.
        numbers: Columns to take as numbers.
        where: Whose file, and which.
        most: Different values that a column of categories may have.

    Raises:
        ValueError: A column holds times, infinite numbers, free text or too many categories, or no numbers although it should.

    >>> feature_columns(pd.DataFrame({"zip": [4711, 4712], "age": ["31", "32"]}), ["zip"], ["age"], "bank").to_dict("list")
    {'zip': ['4711', '4712'], 'age': [31, 32]}
    """
    typed = {name: _typed(frame[name], name in categories, name in numbers, where) for name in frame.columns}
    for name, column in typed.items():
        if not pd.api.types.is_numeric_dtype(column) and (values := column.nunique()) > most:
            raise ValueError(
                f"{where}: column {name} has {values:,} different categories, and each becomes a column of its own; "
                f"max_categories={most} are allowed. Group rare ones, leave the column out by columns=, or allow more."
            )
    return pd.DataFrame(typed)


def _typed(column: pd.Series[Any], as_category: bool, as_number: bool, where: str) -> pd.Series[Any]:
    if as_category:
        return codes(column).astype("string")
    if column.dtype.kind in "mM":
        raise ValueError(
            f"{where}: column {column.name} holds dates or times, which are neither numbers nor categories. Write what matters "
            "of them as numbers (an age in days, the hour), list it in categories=, or leave it out by columns=."
        )
    if as_number:
        column = _number(column, where)
    elif not pd.api.types.is_numeric_dtype(column):
        refuse_misread(column, where)
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
    values = column.nunique()
    if values > _FEW and 2 * values > len(column):
        raise ValueError(
            f"{where}: column {column.name} has {values} different values in {len(column)} rows: almost surely an id or free "
            "text, from which a network learns these rows by heart. Leave it out by columns=; or, if it is meant, list it in "
            "categories= (or in numbers=, if it should hold numbers)."
        )


def without(features: Features, missing: Collection[str]) -> Features:
    """Return features with the given words and numbers missing.

    >>> without(torch.tensor([[1, -9]]), ["-9", "?"])
    tensor([[1., nan]], dtype=torch.float64)
    """
    if not missing:
        return features
    numbers = pd.to_numeric(pd.Series(list(missing)), errors="coerce").dropna().astype("float64").tolist()
    if isinstance(features, Tensor):
        marked = torch.isin(features.double(), torch.tensor(numbers, dtype=torch.float64))
        return features.double().masked_fill(marked, float("nan")) if marked.any() else features
    words: dict[bool, list[Any]] = {True: numbers, False: list(missing)}
    return pd.DataFrame(
        {name: column.mask(column.isin(words[pd.api.types.is_numeric_dtype(column)])) for name, column in features.items()}
    )


def tokens(features: Features, where: str) -> Tensor:
    """Return whole numbers from 0 as int64 `[rows, …]`, for a network that begins with an embedding.

    Raises:
        ValueError: Something else is among them.
    """
    if isinstance(features, pd.DataFrame):
        block = features.apply(pd.to_numeric, errors="coerce").to_numpy(dtype="float64", na_value=float("nan"))
        features = torch.tensor(block)
    wrong = int((features.double() != features.double().round()).sum() + (features < 0).sum())
    if wrong:
        raise ValueError(
            f"{where}: kind=tokens, but {wrong} values are no whole numbers from 0. Repair them, or say kind=numbers."
        )
    return features.to(torch.int64)


def refuse_infinite(features: Features, where: str) -> None:
    """Refuse infinite and implausibly large numbers: one alone drowns a column, or makes a loss infinite.

    Raises:
        ValueError: There are some; it names columns and counts.
    """
    if isinstance(features, pd.DataFrame):
        numeric = features.select_dtypes(["number"])
        columns = {
            str(name): torch.tensor(column.to_numpy(dtype="float64", na_value=float("nan"))) for name, column in numeric.items()
        }
    else:
        columns = {"features": features} if features.is_floating_point() else {}
    if counted := [f"{count} in {name}" for name, column in columns.items() if (count := _infinite(column))]:
        raise ValueError(
            f"{where}: infinite numbers: {', '.join(counted)}. Only finite ones are allowed: leave these cells empty."
        )
    if counted := [f"{count} in {name}" for name, column in columns.items() if (count := _huge(column))]:
        raise ValueError(
            f"{where}: numbers that are not plausible, beyond {_HUGE:.0e} and {_TIMES:.0e} times their column's median size: "
            f"{', '.join(counted)}. They may stand for missing ones: leave these cells empty, or name them in missing=."
        )


def _infinite(values: Tensor) -> int:
    return int(torch.isinf(values.float()).sum())  # what float32 cannot hold is infinite in training


def _huge(values: Tensor) -> int:
    size = values.double().abs()
    if not (size > _HUGE).any():
        return 0
    return int((size > max(_HUGE, _TIMES * float(size.nanmedian()))).sum())


def missing_values(features: Features) -> int:
    """Count the missing cells (columns) or numbers (tensors).

    >>> missing_values(pd.DataFrame({"age": [31, None], "job": [None, "cook"]}))
    2
    """
    if isinstance(features, pd.DataFrame):
        return int(features.isna().to_numpy().sum())
    return int(torch.isnan(features).sum())
