"""Categories, written alike whatever they were stored as."""

from __future__ import annotations

from typing import Any

import pandas as pd


def codes(column: pd.Series[Any]) -> pd.Series[Any]:
    """Return a column's categories as text, missing ones None: 1, 1.0, "1" and "1.0" are one code, "007" is another than "7".

    >>> codes(pd.Series([1.0, float("nan")])).tolist(), codes(pd.Series(["1", "1.0", "007", "1.50"])).tolist()
    (['1', None], ['1', '1', '007', '1.50'])
    """
    present = column.notna()
    text = column[present].astype(object).map(str).astype("string").str.replace(r"^(-?\d+)\.0+$", r"\1", regex=True)
    written = pd.Series([None] * len(column), index=column.index, dtype=object)
    written[present] = text.astype(object)
    return written
