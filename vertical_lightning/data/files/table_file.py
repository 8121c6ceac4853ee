"""CSV and Parquet files → named columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from vertical_lightning.data.files.csv_format import SIGNS, CsvFormat, separator
from vertical_lightning.data.files.reading import attempt

_PANDAS_INDEX = "__index_level_"  # so pandas names the row numbers that it writes to Parquet
_NARROW = 18
"""Decimal digits that an int64 holds for certain."""


class TableFile:
    """A CSV or Parquet file, or a folder of Parquet files that are one table: its columns' names, then those that are wanted.

    Missing are, in a CSV, empty fields; in columns of features also what pandas takes for them (NA, NULL, NaN, …).

    Args:
        path: Where it lies; a name that ends in `.parquet` makes it one.
        where: Whose file, and which, for the errors.
        form: How a CSV is written.
    """

    def __init__(self, path: Path, where: str, form: CsvFormat | None = None) -> None:
        self.path, self.where, self.form = path, where, form or CsvFormat()
        self.parquet = path.is_dir() or path.name.lower().endswith(".parquet")
        self.parts = parquet_parts(path) if path.is_dir() else [path]

    def names(self) -> list[str]:
        """Return the columns' names.

        Raises:
            ValueError: The file is unreadable, or a name occurs twice.
        """
        names = self._parquet_names() if self.parquet else self._csv_names()
        if len(names) == 1 and not self.parquet and (sign := separator(names[0])):
            raise ValueError(f"{self.where} seems to have a {sign} between its columns: say sep={sign}.")
        if repeated := [name for name, count in Counter(names).items() if count > 1]:
            raise ValueError(
                f"{self.where} has {len(repeated)} names that several columns share. A column is found by its name: give each "
                "its own (and a file without a line of names such a line)."
            )
        return names

    def columns(self, wanted: Sequence[str], text: Collection[str], literal: Collection[str]) -> pd.DataFrame:
        """Return the wanted columns of all rows.

        In a CSV, those in `text` come exactly as they are written, 007 as "007"; in those in `literal`, only empty is missing
        (and, in those that are no keys, what `missing` says).

        Args:
            wanted: The columns, in order.
            text: Ids and categories.
            literal: Ids, labels and categories.

        Raises:
            ValueError: The file is unreadable or has no rows, or a wanted column holds lists or structures.
        """
        frame = self._parquet_columns(wanted, text) if self.parquet else self._csv_columns(wanted, text, literal)
        if frame.empty:
            raise ValueError(f"{self.where} has names of columns but no rows. Give a file with one row an entity.")
        return frame

    def _csv_names(self) -> list[str]:
        def read() -> pd.DataFrame:
            # With the first row: where that is longer than the names, pandas would silently take the ids for its index.
            told: dict[str, Any] = {**self.form.options(), **self._packed}
            frame: pd.DataFrame = pd.read_csv(self.path, header=None, nrows=2, dtype=str, keep_default_na=False, **told)
            return frame

        return [str(name) for name in attempt(read, self.where, self._kind).iloc[0]]

    def _csv_columns(self, wanted: Sequence[str], text: Collection[str], literal: Collection[str]) -> pd.DataFrame:
        def read(**options: Any) -> pd.DataFrame:
            kinds = dict.fromkeys(text, str)
            told = {"dtype": kinds, "low_memory": False, **self.form.options(), **self._packed}
            frame: pd.DataFrame = pd.read_csv(self.path, **told, **options)
            return frame

        # All columns: with `usecols`, pandas no longer refuses rows that are longer than the names.
        frame = attempt(lambda: read(na_values=list(self.form.missing)), self.where, self._kind)
        # "None" and "NA" may be a grade and a country: as ids, labels and categories only empty is missing.
        exact = attempt(lambda: read(usecols=list(literal), keep_default_na=False, na_values=[""]), self.where, self._kind)
        frame = frame.assign(**{name: exact[name] for name in exact.columns})
        return pd.DataFrame({name: _nullable_flags(frame[name]) for name in wanted})

    @property
    def _kind(self) -> str:
        between = next((f"{word}s" for word, sign in SIGNS.items() if sign == self.form.signs()["sep"]), self.form.sep)
        told = f"{self.form.encoding.upper()} text, {between} between the columns, their names in the first line"
        return f"CSV ({told}{self.form.suspicion(self.path)})"

    @property
    def _packed(self) -> dict[str, Any]:
        return {"compression": "gzip" if self.path.suffix.lower() == ".gz" else None}

    def _parquet_names(self) -> list[str]:
        import pyarrow.parquet as pq

        first, *others = (attempt(partial(pq.read_schema, part), self.where, "Parquet").names for part in self.parts)
        if any(set(names) != set(first) for names in others):
            raise ValueError(f"{self.where} is a folder of Parquet files that have not the same columns; give one table.")
        return [name for name in first if not name.startswith(_PANDAS_INDEX)]

    def _parquet_columns(self, wanted: Sequence[str], text: Collection[str]) -> pd.DataFrame:
        import pyarrow as pa
        import pyarrow.parquet as pq

        def part(path: Path) -> pa.Table:
            with pq.ParquetFile(path) as file:
                table = file.read(columns=list(wanted)).select(list(wanted))
            kinds = [field.with_type(_plain(field.type, field.name in text)) for field in table.schema]
            return table.cast(pa.schema(kinds)).replace_schema_metadata()

        def read() -> pd.DataFrame:
            table = pa.concat_tables(map(part, self.parts), promote_options="permissive")
            # Without pandas' metadata a column that was an index is a column again.
            frame = table.to_pandas(ignore_metadata=True, date_as_object=False, types_mapper=_nullable().get)
            return pd.DataFrame(frame[list(wanted)])

        schema = attempt(lambda: pq.read_schema(self.parts[0]), self.where, "Parquet")
        if nested := [name for name in wanted if pa.types.is_nested(schema.field(name).type)]:
            raise ValueError(
                f"{self.where}: lists or structures in columns {', '.join(nested)}. One value a row is allowed: give each part "
                "a column of its own, or leave them out by columns=."
            )
        return attempt(read, self.where, "Parquet")


def parquet_parts(folder: Path) -> list[Path]:
    """List the Parquet files that lie directly in a folder, as Spark writes one table; empty if it is no such folder."""
    return sorted(path for path in folder.glob("*.parquet") if path.is_file() and path.name[0] not in "._")


def _nullable_flags(column: pd.Series[Any]) -> pd.Series[Any]:
    """Keep True and False a number where one is missing; pandas reads such a column of a CSV as objects."""
    flags = column.dtype == object and pd.api.types.infer_dtype(column, skipna=True) == "boolean"
    return column.astype("boolean") if flags else column


def _plain(kind: Any, exact: bool) -> Any:
    """Return the number type for a database's decimals and for a column without any value; others stay."""
    import pyarrow as pa

    if pa.types.is_decimal(kind):
        wide = kind.precision > _NARROW
        return pa.string() if exact and wide else pa.int64() if kind.scale == 0 and not wide else pa.float64()
    return pa.float64() if pa.types.is_null(kind) else kind


def _nullable() -> dict[Any, Any]:
    """Say which types keep their kind where a value is missing: pandas would make floats of integers."""
    import pyarrow as pa

    signed = {pa.int8(): pd.Int8Dtype(), pa.int16(): pd.Int16Dtype(), pa.int32(): pd.Int32Dtype(), pa.int64(): pd.Int64Dtype()}
    unsigned = {
        pa.uint8(): pd.UInt8Dtype(),
        pa.uint16(): pd.UInt16Dtype(),
        pa.uint32(): pd.UInt32Dtype(),
        pa.uint64(): pd.UInt64Dtype(),
    }
    return {**signed, **unsigned, pa.bool_(): pd.BooleanDtype()}
