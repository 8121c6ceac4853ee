"""What passes between the rooms: plain values that every room may import.

`Table` → (partition, overlap) → one `PartyTable` a party → (align) → `Alignment` → (loader) → `VerticalBatch`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, runtime_checkable

import pandas as pd
import torch
from torch import Tensor

Id = str | int | tuple["str | int", ...]
"""What names an entity at one party; `psi.identifiers` says which ids are one. A tuple is a composite key."""

Shape = tuple[int, ...]
"""A tensor's shape without its batch dimension."""

Features = Tensor | pd.DataFrame
"""Images `[rows, channels, height, width]` (uint8), or named columns (one row an entity)."""


def check_party_name(name: str) -> None:
    """Refuse a name that `torch.nn.ModuleDict` would not take or would confuse with a method of its own.

    Raises:
        ValueError: It is no Python identifier, or an attribute of every module.
    """
    if not isinstance(name, str) or not name.isidentifier() or hasattr(torch.nn.ModuleDict(), name):
        raise ValueError(
            f"{name!r} cannot name a party: a party's networks live in a torch.nn.ModuleDict, so a name must be a "
            "Python identifier (letters, digits, underscores) and none of its attributes (keys, type, training, …). "
            "Choose another, such as 'shop_1'."
        )


def take(features: Features, rows: Tensor) -> Features:
    """Copy the given rows, in the given order."""
    if isinstance(features, pd.DataFrame):
        return features.iloc[rows.numpy()].reset_index(drop=True)
    return features[rows]


def check_features(features: object) -> None:
    """Refuse a Dataset, an array or a list.

    Raises:
        TypeError: It is no tensor, and no DataFrame.
    """
    if features is not None and not isinstance(features, Tensor | pd.DataFrame):
        raise TypeError(
            f"features are a {type(features).__name__}; give a tensor [rows, …] or a pandas.DataFrame with one row an entity: "
            "torch.stack([row for row, _ in dataset]) makes one of a Dataset, torch.from_numpy of an array."
        )


@dataclass(frozen=True)
class Table:
    """One data set about one set of entities, before it lies in different hands.

    Attributes:
        ids: One unique key an entity, in row order.
        features: Images or named columns, in row order.
        labels: Class numbers `[rows]`, int64; several labels a row, 0 or 1, `[rows, labels]`, float32; or numbers to predict
            `[rows]`, float32.
        classes: The name of each class number or of each label; empty where labels are numbers.
    """

    ids: Sequence[Id]
    features: Features
    labels: Tensor
    classes: Sequence[str]

    def __post_init__(self) -> None:
        """Refuse what only the first batch would fail at."""
        check_features(self.features)

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True)
class PartyTable:
    """What one party holds: its ids, its own columns, the labels if it is the label holder, and what to know of them.

    Attributes:
        ids: One a row.
        features: Images, other tensors, or named columns.
        labels: Class numbers, several labels a row, or numbers to predict.
        kind: What a tensor holds, `images`, `numbers` or `tokens`; None where its dtype and shape say so.

    Raises:
        TypeError: Features are something else than a tensor or named columns.
    """

    ids: Sequence[Id]
    features: Features | None = None
    labels: Tensor | None = None
    remarks: Sequence[str] = ()
    kind: str | None = None

    def __post_init__(self) -> None:
        """Refuse what only the first batch would fail at."""
        check_features(self.features)

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, rows: Tensor) -> PartyTable:
        """Copy the given rows, in the given order."""
        return PartyTable(
            ids=[self.ids[row] for row in rows.tolist()],
            features=None if self.features is None else take(self.features, rows),
            labels=None if self.labels is None else self.labels[rows],
            remarks=self.remarks,
            kind=self.kind,
        )


@dataclass(frozen=True)
class Alignment:
    """What private set intersection leaves behind: row numbers, and who learned what.

    Attributes:
        positions: For each party the row numbers (int64) of the common entities in its own table; all of one length and in
            one entity order, so row `i` is the same entity everywhere.
        rows: How many ids each party brought.
        bytes: Bytes on the wire per direction, keyed `"sender->receiver"`; of the run that computed the result.
        seconds: Wall-clock time of this run.
        statement: Who learned what, in sentences, with the numbers.
        cached: Whether an earlier run had computed the result, so that nothing crossed in this one.
    """

    positions: Mapping[str, Tensor]
    rows: Mapping[str, int]
    bytes: Mapping[str, int]
    seconds: float
    statement: str
    cached: bool = False

    def __len__(self) -> int:
        return len(next(iter(self.positions.values())))


class VerticalBatch(NamedTuple):
    """One batch: row `i` of every party's block is the same entity.

    Attributes:
        features: One block `[batch, *shape]` a feature party; column block p belongs to party p.
        labels: Class numbers or numbers to predict `[batch]`, or several labels `[batch, labels]`, at the label holder only.
        rows: Aligned row numbers `[batch]`, the same at every party; they say which entity without naming it.
    """

    features: dict[str, Tensor]
    labels: Tensor
    rows: Tensor

    def to(self, device: torch.device) -> VerticalBatch:
        """Move what is here; of what is elsewhere, on `meta`, there is nothing to move.

        Lightning calls this instead of looking through the batch's types, which takes it as long as a layer.

        >>> batch = VerticalBatch({"alice": torch.zeros(2, 3)}, torch.tensor([0, 1]), torch.tensor([7, 5]))
        >>> batch.to(torch.device("cpu")) is batch
        True
        """
        if self.rows.device == device:
            return self

        def moved(tensor: Tensor) -> Tensor:
            return tensor if tensor.is_meta else tensor.to(device)

        features = {party: moved(block) for party, block in self.features.items()}
        return VerticalBatch(features, moved(self.labels), self.rows.to(device))


@runtime_checkable
class Source(Protocol):
    """One data set. Adding one costs a file in `data/sources/` and a yaml in `conf/data/`."""

    def load(self) -> dict[str, Table]:
        """Return `{"train": …, "test": …}` where the set has an official test split, else `{"all": …}`."""


@runtime_checkable
class Partition(Protocol):
    """Who holds which columns."""

    def split(self, table: Table, label_holder: str) -> dict[str, PartyTable]:
        """Give every party its own columns, and the labels to `label_holder`."""


@runtime_checkable
class Aligner(Protocol):
    """Finds the entities that all parties share."""

    def align(self, ids: Mapping[str, Sequence[Id]], label_holder: str) -> Alignment:
        """Return every party's row numbers of the common entities, in one entity order."""

    def align_here(
        self, party: str, ids: Sequence[Id], label_holder: str, channels: Mapping[str, Any], parties: int
    ) -> Alignment:
        """Return one party's row numbers; the others are in processes of their own, behind `psi.channel.Channel`s."""


@runtime_checkable
class StageFactory(Protocol):
    """Builds one stage for the shape that it will receive."""

    def __call__(self, shape: Shape) -> torch.nn.Module: ...


@runtime_checkable
class Architecture(Protocol):
    """An uncut network as an ordered row of named stages."""

    def stages(self, outputs: int) -> dict[str, StageFactory]:
        """Name the stages in order; the last one ends in `outputs` numbers a row."""
