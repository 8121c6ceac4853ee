"""What all partitions share: who the parties are, and handing columns and labels out to them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import cast

import pandas as pd
import torch
from torch import Tensor

from vertical_lightning.data.preprocessing import kind_of
from vertical_lightning.schema import Features, PartyTable, Table, check_party_name, take

# Bob is left out: by default he is the label holder.
_NAMES = ["alice", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan"]
_NAMES += ["judy", "mallory", "niaj", "olivia", "peggy", "rupert", "trent", "victor"]


def party_names(parties: int | Sequence[str]) -> list[str]:
    """Name the feature parties, in column order.

    Args:
        parties: How many (at least 1), or their names. The 17th unnamed party is `feature_17`.

    Raises:
        ValueError: No party, a name twice, or a name that cannot name a module.

    >>> party_names(3)
    ['alice', 'carol', 'dave']
    """
    if isinstance(parties, str):
        raise ValueError(f"parties={parties!r} is neither a number nor a list of names; one party is ['{parties}'].")
    if isinstance(parties, int):
        names = [*_NAMES, *(f"feature_{number}" for number in range(len(_NAMES) + 1, parties + 1))][: max(parties, 0)]
    else:
        names = list(parties)
    if not names:
        raise ValueError(f"parties={parties!r} leaves nobody to hold columns; give at least 1 party.")
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise ValueError(f"parties={names} names {', '.join(map(str, twice))} twice; give every party its own name.")
    for name in names:
        check_party_name(name)
    return names


def check_label_holder(label_holder: str) -> None:
    """Refuse anything but the name of one party.

    Raises:
        ValueError: Several label holders, none, or a name that cannot name a module.
    """
    if not isinstance(label_holder, str):
        raise ValueError(
            f"label_holder={label_holder!r} is not the name of one party: labels may lie at one party only; "
            "give one name, such as 'bob'."
        )
    check_party_name(label_holder)


def check_columns(groups: Mapping[str, Sequence[str]], columns: Iterable[str]) -> None:
    """Refuse groups that do not hold every column exactly once.

    Raises:
        ValueError: Columns lie at two parties, at none, or nowhere in the data set; the message names them.
    """
    columns = list(columns)
    given = Counter(column for group in groups.values() for column in group)
    faults = {
        "held twice": [column for column, count in given.items() if count > 1],
        "held by nobody": [column for column in columns if column not in given],
        "not in the data set": [column for column in given if column not in columns],
    }
    said = "; ".join(f"{fault}: {', '.join(map(str, names))}" for fault, names in faults.items() if names)
    if said:
        raise ValueError(
            f"The groups of columns do not fit the data set ({said}). Give every column to exactly one party; "
            f"the columns are: {', '.join(columns)}."
        )


def hand_out(table: Table, pieces: Mapping[str, Features], label_holder: str) -> dict[str, PartyTable]:
    """Give every party its own columns, and the labels to `label_holder`, who may be one of them.

    Args:
        table: The data set; its ids and labels are copied.
        pieces: Each feature party's own columns, sharing no storage with anything.
        label_holder: The one party with labels; with neither name among `pieces` it holds labels only.

    Raises:
        ValueError: A party without columns, or not exactly one label holder.
    """
    check_label_holder(label_holder)
    empty = [party for party, piece in pieces.items() if 0 in piece.shape[1:]]
    if empty:
        raise ValueError(
            f"Nothing is left for {', '.join(empty)}: {len(pieces)} parties are too many for the columns (or pixels) "
            "of this data set; give fewer parties."
        )
    labels = {label_holder: table.labels.clone()}
    features = {**pieces, **({} if label_holder in pieces else {label_holder: None})}
    pixels = isinstance(table.features, Tensor) and kind_of(table.features) == "images"
    kind = "images" if pixels else None  # also where a party gets them flat
    return {party: PartyTable(list(table.ids), piece, labels.get(party), kind=kind) for party, piece in features.items()}


def images(table: Table, partition: str) -> Tensor:
    """Return the table's images for a partition that cuts along height or width.

    Raises:
        ValueError: The table has no height and width.
    """
    if isinstance(table.features, pd.DataFrame) or table.features.dim() != 4:
        raise ValueError(
            f"{partition} cuts images [rows, channels, height, width], but this data set has none; "
            "give a partition for columns: even_columns, random_columns or named_columns."
        )
    return table.features


def own_copy(piece: Tensor) -> Tensor:
    """Copy a piece of a tensor into storage of its own, contiguous."""
    return piece.clone(memory_format=torch.contiguous_format)


def take_columns(features: Features, columns: Tensor) -> Features:
    """Copy columns by number; an image's columns are its pixels, row after row, and come out flat `[rows, columns]`."""
    if isinstance(features, pd.DataFrame):
        return features.iloc[:, columns.tolist()].copy()
    return features.flatten(1).index_select(1, columns)


def column_count(features: Features) -> int:
    """Count columns; an image's are its pixels, in all channels."""
    return features.shape[1] if isinstance(features, pd.DataFrame) else features.shape[1:].numel()


def check_parts(parts: Mapping[str, PartyTable]) -> None:
    """Refuse parts that cannot be trained on."""
    check_labels(parts)
    if all(part.features is None for part in parts.values()):
        raise ValueError(f"none of the parties {', '.join(parts)} holds features; at least one must.")


def check_labels(parts: Mapping[str, PartyTable]) -> None:
    """Refuse labels that lie at several parties or none, or of which some are unknown."""
    holders = [party for party, part in parts.items() if part.labels is not None]
    if len(holders) != 1:
        raise ValueError(f"labels lie at {' and '.join(holders) or 'no party'}; exactly one party must hold them.")
    labels = cast(Tensor, parts[holders[0]].labels)
    if wrong := int((~labels.isfinite()).sum()):
        raise ValueError(
            f"{wrong} of {holders[0]}'s {len(labels)} labels are not finite; a label must be known to learn or to test: "
            "leave such rows out of the table."
        )


def check_baseline(baseline: str | None, parts: Mapping[str, PartyTable]) -> None:
    """Refuse a baseline that is neither `centralized` nor a feature party."""
    holders = [party for party, part in parts.items() if part.features is not None]
    if baseline not in (None, "centralized", *holders):
        raise ValueError(f"baseline={baseline} holds no columns; it is centralized, or one of {', '.join(holders)}.")


def pool(baseline: str, parts: Mapping[str, PartyTable], label_holder: str, whole: Table | None) -> dict[str, PartyTable]:
    """Give the label holder what a baseline trains on: one party's columns of its own rows, or all columns.

    Raises:
        ValueError: If there is no whole to take all columns from, and the parties' parts cannot stand side by side.
    """
    held = parts[label_holder]
    if baseline != "centralized":
        return {label_holder: replace(held, features=parts[baseline].features, kind=parts[baseline].kind)}
    if whole is None:
        return {label_holder: replace(held, features=side_by_side(parts))}
    row_of = {entity: row for row, entity in enumerate(whole.ids)}
    rows = torch.tensor([row_of[entity] for entity in held.ids])
    return {label_holder: replace(held, features=take(whole.features, rows))}


def side_by_side(parts: Mapping[str, PartyTable]) -> pd.DataFrame:
    """Put aligned parties' named columns into one table; names say whose they are.

    Raises:
        ValueError: If a party has images or other tensors.
    """
    frames: list[pd.DataFrame] = []
    for party, part in parts.items():
        if isinstance(part.features, Tensor):
            raise ValueError(f"baseline=centralized puts named columns side by side, but {party} has none: a tensor.")
        if part.features is not None:
            frames.append(part.features.add_prefix(f"{party}."))
    return pd.concat(frames, axis=1)
