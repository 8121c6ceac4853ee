"""Text columns that are numbers or dates to a person: told by the setting that reads them, never taken for categories."""

from __future__ import annotations

from typing import Any

import pandas as pd

from vertical_lightning.psi.identifiers import row_numbers

_GROUPED = r"\s*[+-]?\d{1,3}(,\d{3})+(\.\d+)?\s*"
_COMMA = r"\s*[+-]?\d+(\.\d{3})*,\d+\s*"
_CLOCK = r"([ T]\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?\s*(Z|UTC|[+-]\d{2}:?\d{2})?)?"
_DATE = rf"\s*(\d{{4}}([-/.])\d{{1,2}}\2\d{{1,2}}|\d{{1,2}}([-/.])\d{{1,2}}\3\d{{2,4}}){_CLOCK}\s*"

_MARKS = ("?", "-", "--", ".", "*", "x", "NA", "N/A", "n/a", "na", "null", "NULL", "none", "None", "unknown", "missing")
"""What people write where nothing is known; of a column's values only these may be shown."""

_FEW, _MANY = 3, 20
"""So few words among so many different numbers are marks."""


def refuse_misread(column: pd.Series[Any], where: str) -> None:
    """Refuse a text column whose values are dates, or numbers in another country's writing or with marks among them.

    Raises:
        ValueError: Names the column and the setting.
    """
    values = pd.Series(column.dropna().unique(), dtype=object).map(str)
    words = values[pd.to_numeric(values, errors="coerce").isna()]
    if words.empty:
        return
    named = f"{where}: column {column.name}"
    if words.str.fullmatch(_DATE).all():
        raise ValueError(
            f"{named} holds dates or times, which are neither numbers nor categories. Write what matters of them as numbers "
            "(an age in days, the hour), list it in categories=, or leave it out by columns=."
        )
    if words.str.fullmatch(_GROUPED).all():
        raise ValueError(
            f"{named} holds numbers with commas in them: say thousands=comma if 1,234 is more than a thousand, decimal=comma "
            "if it is more than one (in Parquet, write numbers); or list it in categories=, if it is meant."
        )
    if words.str.fullmatch(_COMMA).all():
        raise ValueError(
            f"{named} holds numbers with a decimal comma: say decimal=comma (in Parquet, write numbers); or list it in "
            "categories=, if it is meant."
        )
    _refuse_marks(column, set(words), len(values) - len(words), named)


def _refuse_marks(column: pd.Series[Any], words: set[str], numbers: int, named: str) -> None:
    held, bad = int(column.notna().sum()), column.index[column.map(str).isin(words) & column.notna()].tolist()
    if len(bad) >= 0.1 * held and not (len(words) <= _FEW and numbers > _MANY):
        return
    known = [word for word in words if word in _MARKS]
    told = ", ".join(f'"{word}"' for word in sorted(known)) if len(known) == len(words) else "WORD"
    raise ValueError(
        f"{named} holds numbers, but {len(bad)} of its {held} values are none ({row_numbers(bad)}). Repair them or leave them "
        f"empty; if they mean missing, say missing=[{told}]; or list it in categories=, if it is meant."
    )
