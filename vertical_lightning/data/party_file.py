"""One party's own file: read, checked, and told what is wrong with it before anything is shared."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from torch import Tensor

from vertical_lightning.data.array_file import FEATURES, Arrays, image_arrays, npz_arrays, pt_arrays, rows_of
from vertical_lightning.data.distinct_rows import distinct_rows
from vertical_lightning.data.feature_columns import feature_columns, missing_values, refuse_infinite
from vertical_lightning.data.reading import refuse_unknown
from vertical_lightning.data.table_file import TableFile
from vertical_lightning.psi.identifiers import row_numbers
from vertical_lightning.schema import Features, take

_TABLES = (".csv", ".csv.gz", ".parquet")
_ARRAYS = {".npz": npz_arrays, ".pt": pt_arrays}
_DUPLICATES = ("error", "first", "drop")


@dataclass(frozen=True)
class PartyRows:
    """The rows of a party's file, in the file's order.

    Attributes:
        ids: One a row, for `psi.identifiers.canonical`; a tuple where the key has several columns. Not shown by `repr`.
        features: Images uint8 `[rows, channels, height, width]`, other arrays float32 or uint8, or named columns.
        labels: As the file has them.
        rows: The file's own number of each row kept (from 0, the line of names not counted), int64.
        repeated: How many rows were dropped because their id occurs more than once.
        missing: How many feature values are missing; scaling will impute them.
    """

    ids: list[str | int | tuple[str | int, ...]] = field(repr=False)
    features: Features | None
    labels: pd.Series[Any] | None
    rows: Tensor
    repeated: int
    missing: int


class _Content(NamedTuple):
    """A whole file, before rows are dropped."""

    ids: list[Any]
    features: Features | None
    labels: pd.Series[Any] | None


@dataclass(frozen=True)
class PartyFile:
    """Where a party's rows lie, and what is what in there.

    `.csv`, `.csv.gz` and `.parquet` have columns. `.npz` and `.pt` (a dict) have arrays; the one named `features` holds these.
    A folder has one png or jpg image an entity; its name without suffix is the id. In a CSV, ids are text: 007 is "007".

    Args:
        path: From where the program was started; `~` is the home.
        id: The column or array with the ids; several make a composite key.
        label: The column or array with the labels; None at a party without labels.
        columns: Feature columns to use; None: all but id and label; []: no features.
        categories: Columns to take as categories whatever their dtype.
        numbers: Columns to take as numbers whatever their dtype.
        duplicates: Where an id occurs more than once: `error`, keep its `first` row, or `drop` all of its rows.
        test_path: Another such file with test rows; whoever wants it reads it.

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
    label: str | None = None
    columns: Sequence[str] | None = None
    categories: Sequence[str] = ()
    numbers: Sequence[str] = ()
    duplicates: str = "error"
    test_path: str | None = None

    def __post_init__(self) -> None:
        """Refuse what could not be meant."""
        if self.duplicates not in _DUPLICATES:
            raise ValueError(f"duplicates={self.duplicates} is none of {', '.join(_DUPLICATES)}; choose one.")
        for name in ("columns", "categories", "numbers"):
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
        if isinstance(features, pd.DataFrame):  # until the end, a frame's index holds the file's own row numbers
            features = feature_columns(features.iloc[rows.numpy()], self.categories, self.numbers, where)
            features = features.reset_index(drop=True)
        elif features is not None:
            features = take(features, rows)
        if features is not None:
            refuse_infinite(features, where)
        return PartyRows(
            ids=[content.ids[row] for row in rows.tolist()],
            features=features,
            labels=None if labels is None else _complete(labels.iloc[rows.numpy()], where),
            rows=rows,
            repeated=len(content.ids) - len(rows),
            missing=0 if features is None else missing_values(features),
        )

    @property
    def _id(self) -> list[str]:
        return [self.id] if isinstance(self.id, str) else list(self.id)

    @property
    def _keys(self) -> list[str]:
        """The columns or arrays that are never features."""
        return [*self._id, *([] if self.label is None else [self.label])]

    @property
    def _arrays(self) -> list[str]:
        """The arrays that an array file must have."""
        return self._keys if self.columns is not None and not self.columns else [*self._keys, FEATURES]

    def _content(self, path: Path, where: str) -> _Content:
        """Read by what lies there."""
        name = path.name.lower()
        if not path.exists():
            raise FileNotFoundError(f"{where} does not exist. Give a path that does, from {Path.cwd()} or absolute.")
        if path.is_dir():
            return self._from_folder(path, where)
        if not name.endswith((*_TABLES, *_ARRAYS)):
            allowed = ", ".join((*_TABLES, *_ARRAYS))
            raise ValueError(f"{where} is of no kind that can be read: {allowed}, or a folder of images. Convert it.")
        if path.stat().st_size == 0:
            raise ValueError(f"{where} is empty (0 bytes). Write it again.")
        if name.endswith(_TABLES):
            return self._from_table(TableFile(path, where), where)
        return self._from_arrays(_ARRAYS[path.suffix.lower()](path, self._arrays, where), where)

    def _from_table(self, file: TableFile, where: str) -> _Content:
        names = file.names()
        refuse_unknown([*self._keys, *(self.columns or ()), *self.categories, *self.numbers], names, "column", where)
        chosen = names if self.columns is None else self.columns
        features = [name for name in dict.fromkeys(chosen) if name not in self._keys]
        if "" in features:
            raise ValueError(
                f"{where} has a column without a name: pandas writes its row numbers so. Leave it out by columns=, or write "
                "the file with index=False."
            )
        literal = [*self._keys, *self.categories]
        frame = file.columns([*self._keys, *features], text=[*self._id, *self.categories], literal=literal)
        ids = _joined(frame[name].astype(object).where(frame[name].notna(), None).tolist() for name in self._id)
        return _Content(ids, frame[features] if features else None, None if self.label is None else frame[self.label])

    def _from_folder(self, folder: Path, where: str) -> _Content:
        if self.label is not None:
            raise ValueError(f"{where} is a folder of images, which hold no labels, but label={self.label}. Set label=null.")
        return self._from_arrays(image_arrays(folder, where), where)

    def _from_arrays(self, arrays: Arrays, where: str) -> _Content:
        if self.columns or self.categories or self.numbers:
            raise ValueError(
                f"{where} has no named columns: leave out columns=, categories= and numbers= (columns=[]: no features)."
            )
        if FEATURES in self._keys:
            raise ValueError(f"{where}: the array {FEATURES} holds the features, never ids or labels. Give those other names.")
        held = rows_of(arrays, self._arrays, where)
        ids = _joined(held[name] for name in self._id)
        return _Content(ids, held.get(FEATURES), None if self.label is None else pd.Series(held[self.label], name=self.label))


def _joined(columns: Iterable[list[Any]]) -> list[Any]:
    """Make a composite key of several columns."""
    first, *others = columns
    return list(zip(first, *others, strict=True)) if others else first


def _complete(labels: pd.Series[Any], where: str) -> pd.Series[Any]:
    if missing := labels.index[labels.isna()].tolist():
        raise ValueError(
            f"{where}: {len(missing)} labels are missing in {labels.name} ({row_numbers(missing)}). Every row needs one: "
            "complete them, or remove those rows."
        )
    return labels.reset_index(drop=True)
