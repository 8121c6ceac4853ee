"""CSV and Parquet files → named columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from vertical_lightning.data.reading import attempt

_CSV = "CSV (UTF-8 text, commas between the columns, their names in the first line)"
_PANDAS_INDEX = "__index_level_"  # so pandas names the row numbers that it writes to Parquet


class TableFile:
    """A CSV or Parquet file: its columns' names, then the columns that are wanted.

    Missing are, in a CSV, empty fields; in columns of features also what pandas takes for them (NA, NULL, NaN, …).

    Args:
        path: Where it lies; a name that ends in `.parquet` makes it one.
        where: Whose file, and which, for the errors.
    """

    def __init__(self, path: Path, where: str) -> None:
        self.path, self.where = path, where
        self.parquet = path.name.lower().endswith(".parquet")

    def names(self) -> list[str]:
        """Return the columns' names.

        Raises:
            ValueError: The file is unreadable, or a name occurs twice.
        """
        names = self._parquet_names() if self.parquet else self._csv_names()
        if repeated := [name for name, count in Counter(names).items() if count > 1]:
            raise ValueError(
                f"{self.where} has {len(repeated)} names that several columns share. A column is found by its name: give each "
                "its own (and a file without a line of names such a line)."
            )
        return names

    def columns(self, wanted: Sequence[str], text: Collection[str], literal: Collection[str]) -> pd.DataFrame:
        """Return the wanted columns of all rows.

        In a CSV, those in `text` come exactly as they are written, 007 as "007"; in those in `literal`, only empty is missing.

        Raises:
            ValueError: The file is unreadable or has no rows, or a wanted column holds lists or structures.
        """
        frame = self._parquet_columns(wanted) if self.parquet else self._csv_columns(wanted, text, literal)
        if frame.empty:
            raise ValueError(f"{self.where} has names of columns but no rows. Give a file with one row an entity.")
        return frame

    def _csv_names(self) -> list[str]:
        def read() -> pd.DataFrame:
            # With the first row: where that is longer than the names, pandas would silently take the ids for its index.
            return pd.read_csv(self.path, header=None, nrows=2, dtype=str, keep_default_na=False, compression=self._compression)

        return [str(name) for name in attempt(read, self.where, _CSV).iloc[0]]

    def _csv_columns(self, wanted: Sequence[str], text: Collection[str], literal: Collection[str]) -> pd.DataFrame:
        def read(**options: Any) -> pd.DataFrame:
            kinds = dict.fromkeys(text, str)
            frame: pd.DataFrame = pd.read_csv(
                self.path, dtype=kinds, low_memory=False, compression=self._compression, **options
            )
            return frame

        # All columns: with `usecols`, pandas no longer refuses rows that are longer than the names.
        frame = attempt(read, self.where, _CSV)
        # "None" and "NA" may be a grade and a country: as ids, labels and categories only empty is missing.
        exact = attempt(lambda: read(usecols=list(literal), keep_default_na=False, na_values=[""]), self.where, _CSV)
        frame = frame.assign(**{name: exact[name] for name in exact.columns})
        return pd.DataFrame({name: _nullable_flags(frame[name]) for name in wanted})

    @property
    def _compression(self) -> Any:
        return "gzip" if self.path.suffix.lower() == ".gz" else None

    def _parquet_names(self) -> list[str]:
        import pyarrow.parquet as pq

        names = attempt(lambda: pq.read_schema(self.path).names, self.where, "Parquet")
        return [name for name in names if not name.startswith(_PANDAS_INDEX)]

    def _parquet_columns(self, wanted: Sequence[str]) -> pd.DataFrame:
        import pyarrow as pa
        import pyarrow.parquet as pq

        def read() -> pd.DataFrame:
            with pq.ParquetFile(self.path) as file:
                table = file.read(columns=list(wanted))
            table = table.cast(pa.schema([field.with_type(_plain(field.type)) for field in table.schema]))
            # Without pandas' metadata a column that was an index is a column again.
            frame = table.to_pandas(ignore_metadata=True, date_as_object=False, types_mapper=_nullable().get)
            return pd.DataFrame(frame[list(wanted)])

        schema = attempt(lambda: pq.read_schema(self.path), self.where, "Parquet")
        if nested := [name for name in wanted if pa.types.is_nested(schema.field(name).type)]:
            raise ValueError(
                f"{self.where}: lists or structures in columns {', '.join(nested)}. One value a row is allowed: give each part "
                "a column of its own, or leave them out by columns=."
            )
        return attempt(read, self.where, "Parquet")


def _nullable_flags(column: pd.Series[Any]) -> pd.Series[Any]:
    """Keep True and False a number where one is missing; pandas reads such a column of a CSV as objects."""
    flags = column.dtype == object and pd.api.types.infer_dtype(column, skipna=True) == "boolean"
    return column.astype("boolean") if flags else column


def _plain(kind: Any) -> Any:
    """Return the number type for a database's decimals and for a column without any value; others stay."""
    import pyarrow as pa

    if pa.types.is_decimal(kind):
        return pa.int64() if kind.scale == 0 else pa.float64()
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
