"""Made-up data for tests and first steps."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import torch

from vertical_lightning.data.entity_ids import entity_ids
from vertical_lightning.schema import Table
from vertical_lightning.seeds import derive


@dataclass(frozen=True)
class Synthetic:
    """Numbers that are easy to learn from: one Gaussian cloud a class, every column informative.

    The clouds' centers are standard normal draws, the clouds have standard deviation 1: more columns make the problem
    easier, and two parties together know more than either alone. Classes are as even as possible.

    Args:
        rows: Entities, at least one a class.
        columns: Columns, named `column_0`, `column_1`, ….
        classes: Classes, at least 2.
        seed: Fixes everything; the global random state is neither read nor changed.

    >>> table = Synthetic(rows=6, columns=2, classes=3).load()["all"]
    >>> table.features.shape, table.labels.bincount().tolist()
    ((6, 2), [2, 2, 2])
    """

    rows: int = 1000
    columns: int = 8
    classes: int = 2
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse sizes that leave a class or every party empty."""
        if self.columns < 1 or self.classes < 2 or self.rows < self.classes:
            raise ValueError(
                f"rows={self.rows}, columns={self.columns}, classes={self.classes} make no data set; "
                "give at least 2 classes, 1 column and as many rows as classes."
            )

    def load(self) -> dict[str, Table]:
        """Return `{"all": …}`: there is no official test split."""
        generator = torch.Generator().manual_seed(derive("synthetic", self.seed))
        labels = torch.arange(self.rows)[torch.randperm(self.rows, generator=generator)] % self.classes
        centers = torch.randn(self.classes, self.columns, generator=generator)
        features = centers[labels] + torch.randn(self.rows, self.columns, generator=generator)
        table = Table(
            ids=entity_ids(f"synthetic-{self.seed}", "all", range(self.rows)),
            features=pd.DataFrame(features.numpy(), columns=[f"column_{column}" for column in range(self.columns)]),
            labels=labels,
            classes=[f"class {number}" for number in range(self.classes)],
        )
        return {"all": table}
