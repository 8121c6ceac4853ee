"""Which entity trains, validates or tests: a keyed hash of its id, which every party computes for itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from vertical_lightning.data.row_order import place


@dataclass(frozen=True)
class Division:
    """Divides aligned rows into training, validation and test rows.

    An entity's split depends on its id and a key alone: it stays where it is when other entities come or go. Stratified,
    it depends on how many others of its class there are, too.

    Args:
        val: Share of the training rows to validate on, in [0, 1).
        test: Share of all rows to test on, in [0, 1), where the set has no official test split.
        folds: For cross-validation, into how many parts the rows that are not for testing are divided; `val` has no say then.
        fold: Which of them, from 0, is validated on.
        stratify: Give every split the same share of each class.

    Raises:
        ValueError: A fraction is none, or there is no such fold.

    >>> rows = Division(val=0.0, test=0.2).rows([b"%d" % number for number in range(1000)], b"key", official=False)
    >>> {split: len(numbers) for split, numbers in rows.items()}
    {'val': 0, 'test': 193, 'train': 807}
    """

    val: float = 0.1
    test: float = 0.2
    folds: int | None = None
    fold: int = 0
    stratify: bool = False

    def __post_init__(self) -> None:
        """Refuse what no rows can be divided by."""
        for name, fraction in (("val_fraction", self.val), ("test_fraction", self.test)):
            if isinstance(fraction, bool) or not isinstance(fraction, int | float) or not 0 <= fraction < 1:
                raise ValueError(f"datamodule.{name}={fraction} is no share of rows; give at least 0 and less than 1.")
        if self.folds is not None and (not isinstance(self.folds, int) or self.folds < 2):
            raise ValueError(f"datamodule.folds={self.folds} is no number of parts; give at least 2, or null for none.")
        if self.fold not in range(self.folds or 1):
            allowed = f"0 to {self.folds - 1}" if self.folds else "0 without datamodule.folds"
            raise ValueError(f"datamodule.fold={self.fold} is no part to validate on; give {allowed}.")

    def check(self, official: bool) -> None:
        """Refuse shares that leave no row to train on.

        Raises:
            ValueError: Together they are all rows.
        """
        if self.folds is None and not official and self.val + self.test >= 1:
            raise ValueError(
                f"datamodule.val_fraction={self.val} and datamodule.test_fraction={self.test} leave no rows to train; "
                "their sum must be below 1."
            )

    def rows(self, ids: Sequence[bytes], key: bytes, official: bool, labels: Tensor | None = None) -> dict[str, Tensor]:
        """Return ascending row numbers by split; of the training table alone where the set has an official test split.

        Args:
            ids: The entities' canonical ids, in row order.
            key: Of the hash; all parties with rows have it, and nobody else.
            official: Whether test rows lie elsewhere.
            labels: Class numbers, if stratified.
        """
        self.check(official)
        places = self._places(ids, labels, key, "split")
        val, test = self.val if self.folds is None else 0.0, 0.0 if official else self.test
        validating, testing = places < val, (places >= val) & (places < val + test)
        if self.folds is not None:
            learning = (~testing).nonzero().flatten()
            others = [ids[row] for row in learning.tolist()]
            again = self._places(others, None if labels is None else labels[learning], key, "fold")
            validating[learning] = (again * self.folds).long() == self.fold
        masks = {"val": validating, **({} if official else {"test": testing}), "train": ~(validating | testing)}
        return {split: chosen.nonzero().flatten() for split, chosen in masks.items()}

    def _places(self, ids: Sequence[bytes], labels: Tensor | None, key: bytes, purpose: str) -> Tensor:
        """Map every id to [0, 1), evenly; stratified, evenly within its class."""
        places = torch.tensor([place(entity, key, purpose) for entity in ids], dtype=torch.float64)
        for label in () if labels is None else torch.unique(labels):
            rows = (labels == label).nonzero().flatten()
            order = places[rows].argsort()
            places[rows[order]] = (torch.arange(len(rows), dtype=torch.float64) + 0.5) / len(rows)
        return places
