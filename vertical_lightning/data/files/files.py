"""Every party's own file, each read by its own `PartyFile`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

import pandas as pd

from vertical_lightning.data.files.label_encoding import encode_labels
from vertical_lightning.data.files.party_file import PartyFile
from vertical_lightning.data.files.party_rows import PartyRows
from vertical_lightning.data.party_source import PartyTables
from vertical_lightning.data.table_encoding import numeric_columns
from vertical_lightning.psi.identifiers import canonical
from vertical_lightning.schema import PartyTable, check_party_name


class Files:
    """Who holds what, where every party brings a file.

    Args:
        parties: By name, where each party's rows lie: the arguments of `PartyFile`.
        task: `classification`, `regression`, or None to infer it from the labels.
        classes: All classes in order, of two the positive one last; None: those of the file, sorted.

    Raises:
        ValueError: A name that cannot name a party, or a setting that a party does not have.
    """

    def __init__(
        self, parties: Mapping[str, Mapping[str, Any]], task: str | None = None, classes: Sequence[object] | None = None
    ) -> None:
        self.parties = {name: party_file(name, settings) for name, settings in parties.items()}
        self.task, self.classes = task, classes

    def load(self, label_holder: str) -> PartyTables:
        """Read all files, and turn the label holder's labels into numbers.

        Raises:
            ValueError: A file cannot be used, or labels lie elsewhere than at the label holder.
        """
        self.check_labels(label_holder, self.parties)
        return self.encoded(self.read(self.parties), label_holder)

    def load_own(self, party: str, label_holder: str) -> tuple[PartyTables, list[str]]:
        """Read one party's file; of the others only the names are known.

        Raises:
            ValueError: The file cannot be used, or labels lie elsewhere than at the label holder.
        """
        own = {name: file for name, file in self.parties.items() if name == party}
        if not own:  # a server brings no rows
            return PartyTables({}, ()), list(self.parties)
        self.check_labels(label_holder, own)
        return self.encoded(self.read(own), label_holder), list(self.parties)

    def encoded(self, tables: Mapping[str, Mapping[str, PartyRows]], label_holder: str) -> PartyTables:
        """Turn the label holder's labels, if it is here, into numbers."""
        held = {name: rows[label_holder].labels for name, rows in tables.items() if label_holder in rows}
        columns = {name: column for name, column in held.items() if column is not None}
        labels, classes = encode_labels(columns, self.task, self.classes) if columns else ({}, ())
        return PartyTables(
            {
                name: {
                    party: table(rows_of_party, labels.get(name) if party == label_holder else None)
                    for party, rows_of_party in rows.items()
                }
                for name, rows in tables.items()
            },
            classes,
        )

    def example(self, label_holder: str, rows: int) -> tuple[PartyTables, int, bool]:
        """Return what each party holds to train on, not aligned."""
        held = self.load(label_holder)
        parts = next(iter(held.tables.values()))
        return PartyTables({"all": parts}, held.classes), len(parts[label_holder]), True

    def read(self, files: Mapping[str, PartyFile] | None = None) -> dict[str, dict[str, PartyRows]]:
        """Return the rows of the given files, or all: `all`, or `train` and `test` where every party has a file of test rows.

        Raises:
            ValueError: There is no party, a file cannot be used, or only some parties have a file of test rows.
        """
        files = self.parties if files is None else files
        check_files(files)
        tested = [party for party, file in files.items() if file.test_path is not None]
        if tested and len(tested) < len(files):
            lacking = ", ".join(party for party in files if party not in tested)
            raise ValueError(f"{', '.join(tested)} have a test_path and {lacking} have none; all parties have one, or nobody.")
        first = {party: file.read(party) for party, file in files.items()}
        if not tested:
            return {"all": first}
        later = {party: read_test(party, file, first[party]) for party, file in files.items()}
        return {"train": first, "test": later}

    def ids_only(self) -> Files:
        """Return the same files without features and labels, for alignment alone."""
        bare = Files({})
        nothing: dict[str, Any] = {"columns": [], "categories": (), "numbers": (), "label": None}
        bare.parties = {party: replace(file, **nothing) for party, file in self.parties.items()}
        return bare

    def check_labels(self, label_holder: str, files: Mapping[str, PartyFile]) -> None:
        """Refuse labels that lie elsewhere than at the label holder."""
        check_files(files)
        holders = [party for party, file in files.items() if file.label is not None]
        if holders != [party for party in files if party == label_holder] or (label_holder not in self.parties):
            given = " and ".join(f"data.parties.{party}.label" for party in holders) or "no label"
            raise ValueError(
                f"label_holder={label_holder}, but {given} is given. Exactly the label holder has labels: say "
                f"label_holder=NAME and data.parties.NAME.label=COLUMN; parties are {', '.join(self.parties)}."
            )


def check_files(files: Mapping[str, PartyFile]) -> None:
    """Refuse to begin with nothing."""
    if not files:
        raise ValueError("data=files needs a file of each party: data.parties.NAME.path=FILE data.parties.NAME.id=COLUMN.")
    for name, file in files.items():
        if not file.path:
            raise ValueError(f"data.parties.{name}.path is missing; give the file that {name} brings.")


def party_file(name: str, settings: Mapping[str, Any]) -> PartyFile:
    """Build one party's file from its settings.

    Raises:
        ValueError: A setting is unknown.
    """
    check_party_name(name)
    if not isinstance(settings, Mapping):
        raise ValueError(f"data.parties.{name}={settings} is no group of settings; give data.parties.{name}.path={settings}.")
    known = [field.name for field in fields(PartyFile)]
    if unknown := [key for key in settings if key not in known]:
        raise ValueError(f"data.parties.{name} has no setting {', '.join(unknown)}; it has {', '.join(known)}.")
    words = {key: as_names(value) for key, value in settings.items()}
    try:
        counts = {key: int(value) for key, value in words.items() if key == "max_categories"}
    except ValueError:
        raise ValueError(f"data.parties.{name}.max_categories={settings['max_categories']} is no number.") from None
    return PartyFile(**{"path": "", **words, **counts})  # a party in another process has its path there


def as_names(value: Any) -> Any:
    """Take numbers that Hydra read for the names and paths that they are."""
    if isinstance(value, list | tuple):
        return [str(name) for name in value]
    return value if value is None else str(value)


def read_test(party: str, file: PartyFile, first: PartyRows) -> PartyRows:
    """Read a party's test rows, taking each column for what it is in the training rows.

    Raises:
        ValueError: The file cannot be used, or some of its ids are among the training rows.
    """
    kinds: dict[str, Any] = {}
    if isinstance(first.features, pd.DataFrame):
        columns, numbers = list(first.features.columns), numeric_columns(first.features)
        kinds = {"columns": columns, "numbers": numbers, "categories": [name for name in columns if name not in numbers]}
    test = replace(file, path=str(file.test_path), **kinds, kind=file.kind if not kinds else None).read(party)
    both = len(set(canonical(test.ids, party)) & set(canonical(first.ids, party)))
    if both:
        raise ValueError(f"{party}: {both} ids of {file.test_path} are in {file.path} too; test rows must be other entities.")
    return test


def table(rows: PartyRows, labels: Any) -> PartyTable:
    """Say of one party's rows what training needs to know."""
    counted = {
        "missing values, which scaling will impute": rows.missing,
        "rows dropped because their id occurs more than once": rows.repeated,
    }
    remarks = [f"{count:,} {what}" for what, count in counted.items() if count]
    return PartyTable(rows.ids, rows.features, labels, (*remarks, *([rows.remark] if rows.remark else [])), rows.kind)
