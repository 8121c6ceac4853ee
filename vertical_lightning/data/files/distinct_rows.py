"""One entity, one row: what to do where an id occurs more than once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from vertical_lightning.psi.identifiers import canonical, encode, row_numbers


def distinct_rows(ids: Sequence[Any], duplicates: str, where: str) -> Tensor:
    """Return the numbers of the rows to keep, int64; ids are compared as the intersection will compare them.

    Args:
        ids: One a row. Missing and otherwise unusable ones repeat nothing and stay: aligning refuses them by their rows.
        duplicates: `error`, keep an id's `first` row, or `drop` all rows of an id that occurs more than once.
        where: Whose file, and which.

    Raises:
        ValueError: An id occurs more than once (`error`), or no row is left (`drop`).

    >>> distinct_rows(["5", "7", " 5"], "first", "bank"), distinct_rows(["5", "7", " 5"], "drop", "bank")
    (tensor([0, 1]), tensor([1]))
    """
    keys = pd.Series([encode(value) for value in ids], dtype=object)
    usable = np.array([isinstance(key, bytes) for key in keys], dtype=bool)  # the others are refused when rows are aligned
    repeated = keys.duplicated(keep=False) & usable
    if not repeated.any():
        return torch.arange(len(ids))
    if duplicates == "error":
        raise ValueError(
            f"{where}: {keys[repeated].nunique()} ids occur more than once ({row_numbers(keys.index[repeated].tolist())}), "
            "after stripping and Unicode NFC. One entity may have one row: duplicates=first keeps each id's first row, "
            "duplicates=drop drops all rows of such ids."
        )
    if not usable.all():
        canonical(ids, where)  # refuses: once rows are dropped, aligning could no longer give the file's row numbers
    rows = (~keys.duplicated(keep="first") if duplicates == "first" else ~repeated).to_numpy().nonzero()[0]
    if not len(rows):
        raise ValueError(f"{where}: every id occurs more than once, so duplicates=drop leaves no row. Use duplicates=first.")
    return torch.from_numpy(rows).long()
