"""What one party keeps of its training rows, in its own checkpoint: how columns become numbers, and what its labels are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import pandas as pd
import torch
from torch import Tensor

from vertical_lightning.data.preprocessing import Preprocessor, check_alike, kept, preprocessor, restored
from vertical_lightning.data.table_encoding import TableEncoding
from vertical_lightning.data.trained_ids import TrainedIds
from vertical_lightning.schema import PartyTable
from vertical_lightning.split.multilabel import Multilabel
from vertical_lightning.split.task import Task, TaskFactory, following_labels, task_from

FAR = 1e6
"""Standard deviations from the mean beyond which a value outside the training rows is reported: one can dominate the loss."""


@dataclass(frozen=True)
class Preparation:
    """One party's own preprocessing, as its training rows taught it.

    Attributes:
        scaling: Turns columns into numbers; None at a party without columns.
        classes: The label holder's: the name of each class number.
        task: The label holder's: what is predicted.
        trained: The label holder's: which ids it trained on.
    """

    scaling: Preprocessor | None = None
    classes: Sequence[str] = ()
    task: Task | None = None
    trained: TrainedIds | None = None

    def transform(self, party: str, tables: Mapping[str, PartyTable]) -> dict[str, Tensor]:
        """Scale a party's columns, split by split; empty for a party without columns."""
        if self.scaling is None:
            return {}
        check_alike(party, tables)
        return {split: self.scaling.transform(features(table)) for split, table in tables.items()}

    def remarks(self, tables: Mapping[str, PartyTable], blocks: Mapping[str, Tensor]) -> list[str]:
        """Say what scaling met for the first time: categories that training rows lack, and numbers far from theirs."""
        remarks = []
        for split in (split for split in tables if split != "train"):
            if isinstance(self.scaling, TableEncoding):
                unseen = self.scaling.unseen(features(tables[split]))
                told = ", ".join(f"{count:,} of {name}" for name, count in unseen.items())
                remarks += [f"{split}: values of categories not seen in training, which become zeros: {told}"] if unseen else []
            if blocks[split].is_floating_point() and (far := self._far(blocks[split])):
                remarks.append(f"{split}: numbers more than {FAR:,.0f} spreads from the training rows' mean: {far}")
        return remarks

    def _far(self, block: Tensor) -> str:
        counts = (block.abs() > FAR).flatten(1).sum(0)
        if isinstance(self.scaling, TableEncoding):
            names = self.scaling.names()
            return ", ".join(f"{counts[place]:,} in {names[place]}" for place in counts.nonzero().flatten().tolist())
        return f"{int(counts.sum()):,}" if counts.any() else ""

    def state_dict(self) -> dict[str, Any]:
        """What the party's checkpoint keeps."""
        state: dict[str, Any] = {"scaling": None if self.scaling is None else kept(self.scaling)}
        if self.task is not None:
            numbers = {name: getattr(self.task, name) for name in ("mean", "spread") if hasattr(self.task, name)}
            several = {"multilabel": True} if isinstance(self.task, Multilabel) else {}
            state["labels"] = {"classes": list(self.classes), **numbers, **several}
        return state | ({} if self.trained is None else {"trained": self.trained.state_dict()})

    @classmethod
    def restored(cls, state: Mapping[str, Any]) -> Self:
        """Return what a checkpoint kept."""
        labels, scaling, trained = state.get("labels"), state["scaling"], state.get("trained")
        return cls(
            None if scaling is None else restored(scaling),
            tuple(labels["classes"]) if labels else (),
            None if labels is None else task_from(**labels),
            None if trained is None else TrainedIds.restored(trained),
        )


def prepare(
    table: PartyTable,
    classes: Sequence[str],
    ids: Sequence[bytes],
    scaling: str | None,
    image_range: tuple[float, float],
    task: TaskFactory = following_labels,
) -> Preparation:
    """Learn from one party's own training rows; the label holder learns from its labels, too.

    Args:
        table: The training rows.
        classes: The name of each class number; empty where labels are numbers.
        ids: The training rows' canonical ids.
        scaling: As in `preprocessor`.
        image_range: The numbers that black and white become.
        task: Says what is to be predicted.
    """
    fitted = None if table.features is None else preprocessor(table.features, table.kind, scaling, image_range)
    if table.labels is None:
        return Preparation(fitted)
    return Preparation(fitted, classes, task(classes, table.labels), TrainedIds.of(ids))


def features(table: PartyTable) -> pd.DataFrame | Tensor:
    """Return the columns of a party that has some in every split."""
    assert table.features is not None
    return table.features


def same(one: Any, other: Any) -> bool:
    """Compare states; numbers may differ by rounding.

    >>> same({"mean": torch.tensor([1.0]), "names": ["a"]}, {"mean": torch.tensor([1.0]), "names": ["b"]})
    False
    """
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        return one.shape == other.shape and torch.allclose(one.double(), other.double(), rtol=1e-9, atol=0)
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)
    return bool(one == other)
