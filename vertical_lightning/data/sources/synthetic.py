"""Made-up data for tests and first steps."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import torch
from torch import Tensor

from vertical_lightning.data.files.entity_ids import entity_ids
from vertical_lightning.schema import Table
from vertical_lightning.split.seeding import derive


@dataclass(frozen=True)
class Synthetic:
    """Numbers that are easy to learn from: one Gaussian cloud a class, or a noisy sum to predict; every column informative.

    The clouds' centers are standard normal draws, the clouds have standard deviation 1; classes are as even as possible.
    With `classes=0` the label is a number: 10, plus or minus each of the standard normal columns, plus standard normal noise,
    so that the best prediction explains columns / (columns + 1) of its variance. With `labels=3` each row has three labels, yes
    where such a sum without the 10 is above 0. Always more columns make the problem easier, and two parties together know more
    than either alone.

    Args:
        rows: Entities, at least one a class.
        columns: Columns, named `column_0`, `column_1`, ….
        classes: Classes, at least 2; or 0 for a number to predict.
        labels: Yes-or-no labels a row, at least 2; 0 for one label as `classes` says.
        seed: Fixes everything; the global random state is neither read nor changed.

    >>> table = Synthetic(rows=6, columns=2, classes=3).load()["all"]
    >>> table.features.shape, table.labels.bincount().tolist()
    ((6, 2), [2, 2, 2])
    """

    rows: int = 1000
    columns: int = 8
    classes: int = 2
    labels: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse sizes that leave a class or every party empty."""
        few = self.classes < 0 or self.classes == 1 or self.labels < 0 or self.labels == 1
        if few or self.columns < 1 or self.rows < max(self.classes, 1):
            raise ValueError(
                f"rows={self.rows}, columns={self.columns}, classes={self.classes}, labels={self.labels} make no data set; "
                "give at least 2 classes, 1 column and as many rows as classes; classes=0 is a number to predict, labels=0 one "
                "label."
            )

    def load(self) -> dict[str, Table]:
        """Return `{"all": …}`: there is no official test split."""
        generator = torch.Generator().manual_seed(derive("synthetic", self.seed))
        features, labels = self.drawn(generator)
        names = [f"label {number}" for number in range(self.labels)] or [f"class {number}" for number in range(self.classes)]
        table = Table(
            ids=entity_ids(f"synthetic-{self.seed}", "all", range(self.rows)),
            features=pd.DataFrame(features.numpy(), columns=[f"column_{column}" for column in range(self.columns)]),
            labels=labels,
            classes=tuple(names),
        )
        return {"all": table}

    def drawn(self, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Draw features and labels."""
        if not self.labels:
            return self.clouds(generator) if self.classes else self.noisy_sum(generator)
        features = torch.randn(self.rows, self.columns, generator=generator)
        signs = 2 * torch.randint(2, (self.columns, self.labels), generator=generator).float() - 1
        return features, (features @ signs + torch.randn(self.rows, self.labels, generator=generator) > 0).float()

    def clouds(self, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Draw features and class numbers."""
        labels = torch.arange(self.rows)[torch.randperm(self.rows, generator=generator)] % self.classes
        centers = torch.randn(self.classes, self.columns, generator=generator)
        return centers[labels] + torch.randn(self.rows, self.columns, generator=generator), labels

    def noisy_sum(self, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Draw features and numbers to predict."""
        features = torch.randn(self.rows, self.columns, generator=generator)
        signs = 2 * torch.randint(2, (self.columns,), generator=generator).float() - 1
        return features, 10 + features @ signs + torch.randn(self.rows, generator=generator)
