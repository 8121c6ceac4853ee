"""Categories, written alike whatever they were stored as."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd


def codes(column: pd.Series[Any]) -> pd.Series[Any]:
    """Return a column's categories as text, missing ones None: 1, 1.0, "1" and "1.0" are one code, "007" is another than "7".

    >>> codes(pd.Series([1.0, float("nan")])).tolist(), codes(pd.Series(["1", "1.0", "007", "1.50"])).tolist()
    (['1', None], ['1', '1', '007', '1.50'])
    """
    places, values = pd.factorize(column)  # -1 where missing
    text = pd.Series(list(values), dtype=object).map(str).astype("string")
    written = text.str.replace(r"^(-?\d+)\.0+$", r"\1", regex=True)
    known: np.ndarray[Any, Any] = np.array([*written, None], dtype=object)
    return pd.Series(known[places], index=column.index, dtype="object")
