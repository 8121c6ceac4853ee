"""Every partition gives each party storage of its own and the labels to one, and says what it cannot do."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
import torch
from small_tables import blocks, columns, picture, table_of

from vertical_lightning.data.partitions.even_columns import EvenColumns
from vertical_lightning.data.partitions.named_columns import NamedColumns
from vertical_lightning.data.partitions.quadrants import Quadrants
from vertical_lightning.data.partitions.random_columns import RandomColumns
from vertical_lightning.data.partitions.strips import Strips
from vertical_lightning.data.partitions.whole import Whole
from vertical_lightning.schema import Features, Partition

FOR_IMAGES: list[Partition] = [
    Whole(),
    Strips(1),
    Strips(3),
    Strips(1, axis="horizontal"),
    Strips(3, axis="horizontal"),
    Quadrants(),
    EvenColumns(1),
    EvenColumns(3),
    RandomColumns(1),
    RandomColumns(3),
]
FOR_COLUMNS: list[Partition] = [
    Whole(),
    EvenColumns(3),
    RandomColumns(3),
    NamedColumns({"alice": ["c0", "c3"], "carol": ["c2", "c1", "c4"]}),
]


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ({"alice": ["c0", "c1"], "carol": ["c1", "c2", "c3", "c4"]}, "held twice: c1"),
        ({"alice": ["c0", "c0"], "carol": ["c1", "c2", "c3", "c4"]}, "held twice: c0"),
        ({"alice": ["c0"], "carol": ["c2", "c4"]}, "held by nobody: c1, c3"),
        ({"alice": ["c0", "c1", "c9"], "carol": ["c2", "c3", "c4"]}, "not in the data set: c9"),
        ({"alice": ["c0", "c1", "c2", "c3", "c4"], "carol": []}, "Nothing is left for carol"),
    ],
)
def test_columns_doubled_uncovered_or_unknown_are_named(groups: dict[str, list[str]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        NamedColumns(groups).split(table_of(columns()), "bob")


@pytest.mark.parametrize("partition", FOR_IMAGES, ids=str)
def test_pieces_of_images_are_contiguous_and_share_nothing(partition: Partition) -> None:
    for images in (picture(), picture(rows=1), picture(rows=1, channels=1)):
        table = table_of(images)
        tables = partition.split(table, "bob")
        holdings = [images, table.labels, *blocks(tables), tables["bob"].labels]
        assert all(piece.is_contiguous() for piece in holdings if piece is not None)
        storages = [piece.untyped_storage().data_ptr() for piece in holdings if piece is not None]
        assert len(set(storages)) == len(storages)
        assert all(piece.untyped_storage().nbytes() == piece.nbytes for piece in blocks(tables))


@pytest.mark.parametrize("partition", FOR_COLUMNS, ids=str)
def test_pieces_of_columns_share_nothing(partition: Partition) -> None:
    frame = columns()
    tables = partition.split(table_of(frame), "bob")
    pieces = [table.features for table in tables.values() if isinstance(table.features, pd.DataFrame)]
    arrays = [[piece[name].to_numpy() for name in piece] for piece in [frame, *pieces]]
    for one, other in combinations(arrays, 2):
        assert not any(np.shares_memory(mine, yours) for mine in one for yours in other)
    assert sum(piece.shape[1] for piece in pieces) == frame.shape[1]


@pytest.mark.parametrize(
    ("partition", "features"),
    [*((partition, picture()) for partition in FOR_IMAGES), *((partition, columns()) for partition in FOR_COLUMNS)],
    ids=lambda value: type(value).__name__,
)
def test_labels_lie_at_the_label_holder_alone(partition: Partition, features: Features) -> None:
    table = table_of(features)
    for label_holder in ("bob", "alice"):
        tables = partition.split(table, label_holder)
        assert [party for party in tables if tables[party].labels is not None] == [label_holder]
        assert torch.equal(tables[label_holder].labels, table.labels)
        assert [party for party in tables if tables[party].features is None] == (["bob"] if label_holder == "bob" else [])
        assert all(party_table.ids == table.ids for party_table in tables.values())
        assert len({id(party_table.ids) for party_table in tables.values()}) == len(tables)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Whole(2), "Whole gives everything to one party"),
        (lambda: Quadrants(3), "an image has four quadrants"),
        (lambda: Strips(2, axis="diagonal"), "axis='diagonal' is no way .* vertical, horizontal"),  # type: ignore[arg-type]
        (lambda: NamedColumns({}), "leaves nobody"),
    ],
)
def test_what_a_partition_cannot_do_is_said_before_data_is_loaded(build: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build()


@pytest.mark.parametrize("partition", [Strips(2), Quadrants()], ids=str)
@pytest.mark.parametrize("features", [columns(), torch.zeros(3, 4)], ids=["columns", "flat"])
def test_columns_are_no_images(partition: Partition, features: Features) -> None:
    with pytest.raises(ValueError, match=r"cuts images .* give a partition for columns"):
        partition.split(table_of(features), "bob")


def test_images_have_no_named_columns() -> None:
    with pytest.raises(ValueError, match=r"divides named columns.* give a partition for images"):
        NamedColumns({"alice": ["c0"]}).split(table_of(picture()), "bob")


@pytest.mark.parametrize("partition", [EvenColumns(6), RandomColumns(6)], ids=str)
def test_more_parties_than_columns_are_refused(partition: Partition) -> None:
    with pytest.raises(ValueError, match="Nothing is left for grace: 6 parties are too many"):
        partition.split(table_of(columns(count=5)), "bob")
