"""All parties' preparations that are in this process: fitted on training rows, or taken from a checkpoint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from vertical_lightning.data.preparation import Preparation, prepare, same
from vertical_lightning.schema import PartyTable
from vertical_lightning.split.per_party import check_parties
from vertical_lightning.split.task import Elsewhere, Task, TaskFactory, following_labels


class Scored(NamedTuple):
    """Rows that a trained network is to score.

    Attributes:
        prepared: By party, what its checkpoint keeps.
        split: `train`, `val` or `test`; or `all` rows of the first table.
    """

    prepared: Mapping[str, Mapping[str, Any]]
    split: str


class Preparations:
    """What each party keeps of its training rows, and what it does to all rows by that.

    Args:
        scaling: How tensors and numbers are scaled, as in `preprocessor`; one for all, or one a party.
        image_range: The numbers that black and white become.
        task: Says what is to be predicted, from the label holder's training labels.
        kept: By party, what its checkpoint keeps; nothing is learned from the rows then.

    Attributes:
        of: By party.
        remarks: By party, what scaling found in rows that are not for training.
        scoring: Whether all was taken from a checkpoint, so that nothing is learned from the rows that are here.
    """

    def __init__(
        self,
        scaling: str | Mapping[str, str] | None,
        image_range: tuple[float, float],
        task: TaskFactory = following_labels,
        kept: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        self.scaling, self.image_range, self.asked = scaling, image_range, task
        self.of = {party: Preparation.restored(state) for party, state in (kept or {}).items()}
        self.remarks: dict[str, list[str]] = {}
        self.scoring = kept is not None

    def check_parties(self, parties: Sequence[str]) -> None:
        """Refuse a scaling for a party that brings no rows."""
        check_parties("datamodule.scaling", self.scaling if isinstance(self.scaling, Mapping) else (), parties)

    def fit(self, party: str, table: PartyTable, classes: Sequence[str], ids: Sequence[bytes]) -> None:
        """Learn from a party's own training rows, unless they were learned from before."""
        if not self.scoring:
            scaling = self.scaling.get(party) if isinstance(self.scaling, Mapping) else self.scaling
            self.of[party] = prepare(table, classes, ids, scaling, self.image_range, self.asked)

    def scale(self, party: str, tables: Mapping[str, PartyTable]) -> dict[str, Tensor]:
        """Turn a party's columns into numbers, split by split; empty for a party without columns.

        Raises:
            ValueError: The checkpoint knows nothing of this party.
        """
        if party not in self.of:
            raise ValueError(f"the checkpoint has no preprocessing of {party}; it is of a run without {party}'s columns.")
        blocks = self.of[party].transform(party, tables)
        self.remarks[party] = self.of[party].remarks(tables, blocks) if blocks else []
        return blocks

    def labels(self, table: PartyTable) -> Tensor:
        """Return the labels; where rows are only scored, or the label holder is elsewhere, there is nothing but a shape."""
        return torch.empty(len(table), device="meta") if self.scoring or table.labels is None else table.labels

    def task(self, party: str) -> Task:
        """Say what a party wants to know of rows; where they are only scored, no more than how many logits they have."""
        task = self.of[party].task if party in self.of else None
        return Elsewhere(1 if task is None else task.outputs) if self.scoring or task is None else task

    def state_dict(self) -> dict[str, Any]:
        """What the parties' checkpoints keep."""
        return {party: preparation.state_dict() for party, preparation in self.of.items()}

    def check(self, states: Mapping[str, Mapping[str, Any]]) -> None:
        """Refuse rows that were scaled otherwise than a checkpoint's.

        Raises:
            ValueError: Says whose.
        """
        own = self.state_dict()
        for party, state in states.items():
            if not all(same(state.get(part), own.get(party, {}).get(part)) for part in ("scaling", "labels")):
                raise ValueError(
                    f"{party}'s columns or labels are not those of the checkpoint: means, spreads, categories or classes of "
                    "the training rows differ. Give the same data; vl-predict scores other rows as the checkpoint would."
                )
