"""The rows of a party's file, and what becomes of its columns on the way there."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

import pandas as pd
from torch import Tensor

from vertical_lightning.psi.identifiers import row_numbers
from vertical_lightning.schema import Features, take

Labels: TypeAlias = "pd.Series[Any] | pd.DataFrame"
"""One label a row, or several, as a file has them."""


@dataclass(frozen=True)
class PartyRows:
    """The rows of a party's file, in the file's order.

    Attributes:
        ids: One a row, for `psi.identifiers.canonical`; a tuple where the key has several columns. Not shown by `repr`.
        features: Images uint8 `[rows, channels, height, width]`, other arrays as they were stored, or named columns.
        labels: As the file has them.
        rows: The file's own number of each row kept (from 0, the line of names not counted), int64.
        repeated: How many rows were dropped because their id occurs more than once.
        missing: How many feature values are missing; scaling will impute them.
        remark: What was left out of the file, if anything.
        kind: What arrays hold, if it was said.
    """

    ids: list[str | int | tuple[str | int, ...]] = field(repr=False)
    features: Features | None
    labels: Labels | None
    rows: Tensor
    repeated: int
    missing: int
    remark: str = ""
    kind: str | None = None


class Content(NamedTuple):
    """A whole file, before rows are dropped."""

    ids: list[Any]
    features: Features | None
    labels: Labels | None
    remark: str = ""


def kept_rows(features: Features, rows: Tensor) -> Features:
    """Take rows; a frame keeps the file's own row numbers."""
    return features.iloc[rows.numpy()] if isinstance(features, pd.DataFrame) else take(features, rows)


def like_a_key(name: str) -> bool:
    """Whether a column is named like a key.

    >>> [name for name in ("customer_id", "CustomerID", "paid", "key", "age") if like_a_key(name)]
    ['customer_id', 'CustomerID', 'key']
    """
    return re.search(r"(^|[_\W])(id|key|uid|uuid|no|nr)$|[a-z](ID|Id|Key)$", name) is not None or name in ("ID", "Id", "Key")


def joined(columns: Iterable[list[Any]]) -> list[Any]:
    """Make a composite key of several columns."""
    first, *others = columns
    return list(zip(first, *others, strict=True)) if others else first


def complete(labels: Labels, where: str) -> Labels:
    """Return labels in order; refuse missing ones."""
    unknown = labels.isna()
    if missing := labels.index[unknown.any(axis=1) if isinstance(unknown, pd.DataFrame) else unknown].tolist():
        name = ", ".join(labels.columns) if isinstance(labels, pd.DataFrame) else labels.name
        raise ValueError(
            f"{where}: {len(missing)} labels are missing in {name} ({row_numbers(missing)}). Every row needs one: "
            "complete them, or remove those rows."
        )
    return labels.reset_index(drop=True)
