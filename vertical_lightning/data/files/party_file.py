"""One party's own file: read, checked, and told what is wrong with it before anything is shared."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from torch import Tensor

from vertical_lightning.data.files.array_file import FEATURES, Arrays, image_arrays, left_out, npz_arrays, pt_arrays, rows_of
from vertical_lightning.data.files.csv_format import CsvFormat
from vertical_lightning.data.files.distinct_rows import distinct_rows
from vertical_lightning.data.files.feature_columns import feature_columns, missing_values, refuse_infinite, tokens, without
from vertical_lightning.data.files.party_rows import Content, Labels, PartyRows, complete, joined, kept_rows, like_a_key
from vertical_lightning.data.files.reading import refuse_unknown
from vertical_lightning.data.files.table_file import TableFile, parquet_parts
from vertical_lightning.schema import Features

_TABLES = (".csv", ".csv.gz", ".parquet")
_ARRAYS = {".npz": npz_arrays, ".pt": pt_arrays}
_DUPLICATES = ("error", "first", "drop")
_KINDS = ("numbers", "categories", "tokens", "images")
_OF_PANDAS = r"(Unnamed: \d+)?"
"""How the column is called to which pandas wrote its row numbers, once or again."""


@dataclass(frozen=True)
class PartyFile:
    """The file of a party's rows, and what its columns mean.

    `.csv`, `.csv.gz` and `.parquet` have columns. `.npz` and `.pt` (a dict) have arrays; the one named `features` holds these.
    A folder has one png or jpg image an entity; its name without suffix is the id; or Parquet files that are one table. In a
    CSV, ids are text: 007 is "007".

    Args:
        path: From where the program was started; `~` is the home.
        id: The column or array with the ids; several make a composite key.
        label: The column or array with the labels, or several with yes or no; None at a party without labels.
        columns: Feature columns to use; None: all but id and label; []: no features.
        categories: Columns to take as categories whatever their dtype.
        numbers: Columns to take as numbers whatever their dtype.
        duplicates: Where an id occurs more than once: `error`, keep its `first` row, or `drop` all of its rows.
        test_path: Another such file with test rows; whoever wants it reads it.
        kind: What all features are: `numbers`, `categories`, `tokens` (whole numbers; a first stage takes `tokens.long()`),
            or `images`; None: numeric columns and arrays are numbers, other columns categories, uint8 arrays of three or more
            dimensions images.
        missing, sep, decimal, thousands, encoding: How a CSV is written, as in `CsvFormat`; `missing` goes for all files.
        max_categories: Different values that a column of categories may have.

    Raises:
        ValueError: A setting is none of those.

    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile("w", suffix=".csv") as file:
    ...     for line in ("id,age,job", "007,31,cook", "8,,nurse"):
    ...         print(line, file=file, flush=True)
    ...     bank = PartyFile(file.name).read("bank")
    >>> bank.ids, list(bank.features), bank.missing
    (['007', '8'], ['age', 'job'], 1)
    """

    path: str
    id: str | Sequence[str] = "id"
    label: str | Sequence[str] | None = None
    columns: Sequence[str] | None = None
    categories: Sequence[str] = ()
    numbers: Sequence[str] = ()
    duplicates: str = "error"
    test_path: str | None = None
    kind: str | None = None
    missing: Sequence[str] = ()
    sep: str = ","
    decimal: str = "."
    thousands: str | None = None
    encoding: str = "utf-8"
    max_categories: int = 1000

    def __post_init__(self) -> None:
        """Refuse what could not be meant."""
        CsvFormat(self.sep, self.decimal, self.thousands, self.encoding)  # refuses what no CSV is written with
        if self.duplicates not in _DUPLICATES:
            raise ValueError(f"duplicates={self.duplicates} is none of {', '.join(_DUPLICATES)}; choose one.")
        if self.kind not in (None, *_KINDS):
            raise ValueError(f"kind={self.kind} is none of {', '.join(_KINDS)}; null goes by the dtype.")
        for name in ("columns", "categories", "numbers", "missing"):
            if isinstance(text := getattr(self, name), str):
                raise ValueError(f"{name}={text} is one text; give a list: {name}=[{text}].")
        if not self._id or len(set(self._keys)) < len(self._keys):
            raise ValueError(f"id={self.id}, label={self.label}: give at least one id, and each column or array once.")
        if both := sorted(set(self.categories) & set(self.numbers)):
            raise ValueError(f"{', '.join(both)} in categories= and in numbers=; a column is one of the two: choose.")

    def read(self, party: str) -> PartyRows:
        """Read the file; `party`, its owner, is named in errors, an id never.

        Raises:
            FileNotFoundError: Nothing lies there.
            ValueError: The file, a column or a value cannot be used, or an id occurs more than once; says what to do.
        """
        where = f"{party}: {self.path}"
        content = self._content(Path(self.path).expanduser(), where)
        rows = distinct_rows(content.ids, self.duplicates, where)
        features, labels = content.features, content.labels
        if features is not None:
            features = self._meant(without(kept_rows(features, rows), self.missing), where)
            refuse_infinite(features, where)
        return PartyRows(
            ids=[content.ids[row] for row in rows.tolist()],
            features=features,
            labels=None if labels is None else complete(labels.iloc[rows.numpy()], where),
            rows=rows,
            repeated=len(content.ids) - len(rows),
            missing=0 if features is None else missing_values(features),
            remark=content.remark,
            kind=None if isinstance(features, pd.DataFrame) else self.kind,
        )

    @property
    def form(self) -> CsvFormat:
        """How a CSV is written."""
        return CsvFormat(self.sep, self.decimal, self.thousands, self.encoding, self.missing)

    @property
    def has_columns(self) -> bool:
        """Whether the file's columns have names."""
        path = Path(self.path).expanduser()
        return path.name.lower().endswith(_TABLES) or bool(parquet_parts(path))

    def _meant(self, features: Features, where: str) -> Features:
        """Return features as what they are meant to be; a frame's index still holds the file's own row numbers."""
        if self.kind == "tokens":
            return tokens(features, where)
        if isinstance(features, Tensor) and self.kind != "categories":
            return features
        if isinstance(features, Tensor):
            features = pd.DataFrame(features.flatten(1).numpy()).rename(columns=str)
        if self.kind == "images":
            raise ValueError(f"{where} has named columns, but kind=images; pixels come as arrays, or as a folder of images.")
        categories = list(features.columns) if self.kind == "categories" else self.categories
        numbers = list(features.columns) if self.kind == "numbers" else self.numbers
        return feature_columns(features, categories, numbers, where, self.max_categories).reset_index(drop=True)

    @property
    def _id(self) -> list[str]:
        return [self.id] if isinstance(self.id, str) else list(self.id)

    @property
    def _keys(self) -> list[str]:
        """The columns or arrays that are never features."""
        return [*self._id, *self._labels]

    @property
    def _labels(self) -> list[str]:
        return [] if self.label is None else [self.label] if isinstance(self.label, str) else list(self.label)

    @property
    def _arrays(self) -> list[str]:
        """The arrays that an array file must have."""
        return self._keys if self.columns is not None and not self.columns else [*self._keys, FEATURES]

    def _content(self, path: Path, where: str) -> Content:
        """Read by what lies there."""
        name = path.name.lower()
        if not path.exists():
            raise FileNotFoundError(f"{where} does not exist. Give a path that does, from {Path.cwd()} or absolute.")
        if path.is_dir():
            parts = parquet_parts(path)
            return self._from_table(TableFile(path, where, self.form), where) if parts else self._from_folder(path, where)
        if not name.endswith((*_TABLES, *_ARRAYS)):
            allowed = ", ".join((*_TABLES, *_ARRAYS))
            raise ValueError(f"{where} is of no kind that can be read: {allowed}, or a folder of images. Convert it.")
        if path.stat().st_size == 0:
            raise ValueError(f"{where} is empty (0 bytes). Write it again.")
        if name.endswith(_TABLES):
            return self._from_table(TableFile(path, where, self.form), where)
        return self._from_arrays(_ARRAYS[path.suffix.lower()](path, self._arrays, where), where)

    def _from_table(self, file: TableFile, where: str) -> Content:
        names = file.names()
        if self._id == ["id"] and "id" not in names and len(alike := [name for name in names if like_a_key(name)]) == 1:
            raise ValueError(f"{where} has no column id, but one that seems to hold ids: say id={alike[0]}.")
        refuse_unknown([*self._keys, *(self.columns or ()), *self.categories, *self.numbers], names, "column", where)
        chosen = names if self.columns is None else self.columns
        features = [name for name in dict.fromkeys(chosen) if name not in self._keys]
        if self.columns is None and any(re.fullmatch(_OF_PANDAS, name) for name in features):
            raise ValueError(
                f"{where} has a column without a name of its own: pandas writes its row numbers so. Leave it out by columns=, "
                "or write the file with index=False."
            )
        literal = [*self._keys, *self.categories]
        frame = file.columns([*self._keys, *features], text=[*self._id, *self.categories], literal=literal)
        ids = joined(frame[name].astype(object).where(frame[name].notna(), None).tolist() for name in self._id)
        return Content(ids, frame[features] if features else None, self._of(frame))

    def _from_folder(self, folder: Path, where: str) -> Content:
        if self.label is not None:
            raise ValueError(f"{where} is a folder of images, which hold no labels, but label={self.label}. Set label=null.")
        return self._from_arrays(image_arrays(folder, where), where)._replace(remark=left_out(folder))

    def _from_arrays(self, arrays: Arrays, where: str) -> Content:
        if self.columns or self.categories or self.numbers:
            raise ValueError(
                f"{where} has no named columns: leave out columns=, categories= and numbers= (columns=[]: no features)."
            )
        if FEATURES in self._keys:
            raise ValueError(f"{where}: the array {FEATURES} holds the features, never ids or labels. Give those other names.")
        held = rows_of(arrays, self._arrays, where)
        ids = joined(held[name] for name in self._id)
        return Content(ids, held.get(FEATURES), self._of(pd.DataFrame({name: held[name] for name in self._labels})))

    def _of(self, frame: pd.DataFrame) -> Labels | None:
        """Return the labels, if there are some."""
        if self.label is None:
            return None
        return frame[self.label] if isinstance(self.label, str) else frame[self._labels]
