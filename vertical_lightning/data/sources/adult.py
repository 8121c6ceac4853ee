"""Who earns more than 50,000 dollars a year?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import pandas as pd
import torch

from vertical_lightning.data.files.entity_ids import entity_ids
from vertical_lightning.data.sources.verified_file import bundled_file
from vertical_lightning.schema import Table


class Adult:
    """Census Income 1994: 32,561 + 16,281 people, 14 columns (Becker, Kohavi; UCI, doi 10.24432/C5XW20).

    24.1 % earn more (class 1): report ROC AUC. `?` in workclass, occupation and native-country means missing and is
    loaded as missing; the encoder makes it a category of its own.

    >>> adult = Adult().load()
    >>> {split: table.features.shape for split, table in adult.items()}
    {'train': (32561, 14), 'test': (16281, 14)}
    """

    checksums: ClassVar[Mapping[str, str]] = {
        "train": "sha256:7a48c27781245d53772870010320e745e06982f0cdf01099988117d143828eb6",
        "test": "sha256:0fd1bb87da1a1cb43b5f20640dbe2f26e2a086729f78d2bc8e8d4f9bc1999f6f",
    }

    def load(self) -> dict[str, Table]:
        """Return the official `{"train": …, "test": …}`.

        Raises:
            FileNotFoundError: The installation lacks a file.
            ValueError: A file is corrupt.
        """
        return {split: self._table(split) for split in self.checksums}

    def _table(self, split: str) -> Table:
        path = bundled_file(f"adult_{split}.csv.gz", self.checksums[split])
        frame = pd.read_csv(path, na_values=["?"])
        return Table(
            ids=entity_ids("adult", split, range(len(frame))),
            features=frame.drop(columns="income"),
            labels=torch.tensor((frame["income"] == ">50K").to_numpy(), dtype=torch.int64),
            classes=["<=50K", ">50K"],
        )
