"""Files whose rows a trained network is to score: read as the training files were, without labels."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from vertical_lightning.data.files.files import Files, check_files
from vertical_lightning.data.files.party_file import PartyFile
from vertical_lightning.data.party_source import PartySource
from vertical_lightning.data.preparation import Preparation
from vertical_lightning.data.table_encoding import TableEncoding


class UnlabeledFiles(Files):
    """The parties' files, read without labels."""

    def check_labels(self, label_holder: str, files: Mapping[str, PartyFile]) -> None:
        """Refuse to begin with nothing."""
        check_files(files)


def to_score(holdings: PartySource, prepared: Mapping[str, Preparation], split: str) -> PartySource:
    """Return files with each column as what it was trained on; other holdings stay as they are.

    Args:
        holdings: Who holds what.
        prepared: What the parties that are here keep of their training rows.
        split: `all` reads no file of test rows.
    """
    if not isinstance(holdings, Files):
        return holdings
    files = UnlabeledFiles({})
    files.parties = {party: unlabeled(file, prepared.get(party), split) for party, file in holdings.parties.items()}
    return files


def unlabeled(file: PartyFile, prepared: Preparation | None, split: str) -> PartyFile:
    """Return one party's file with the columns that it was trained on."""
    bare = replace(file, label=None, test_path=None if split == "all" else file.test_path)
    if prepared is None:
        return bare
    if prepared.scaling is None:
        return replace(bare, columns=[], categories=(), numbers=())
    if not isinstance(prepared.scaling, TableEncoding) or not file.has_columns:
        return bare
    numbers, categories = prepared.scaling.numbers, list(prepared.scaling.categories)
    named: dict[str, Any] = {"columns": [*numbers, *categories], "numbers": numbers, "categories": categories}
    return replace(bare, kind=None, max_categories=sys.maxsize, **named)
