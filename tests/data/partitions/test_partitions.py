"""What the parties hold, put together again, is the data set."""

from __future__ import annotations

import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from small_tables import blocks, columns, picture, table_of

from vertical_lightning.data.partitions.even_columns import EvenColumns
from vertical_lightning.data.partitions.named_columns import NamedColumns
from vertical_lightning.data.partitions.quadrants import Quadrants
from vertical_lightning.data.partitions.random_columns import RandomColumns
from vertical_lightning.data.partitions.strips import Strips

sides = st.integers(1, 9)


@given(parties=st.integers(1, 9), height=sides, width=sides, horizontal=st.booleans())
def test_strips_put_side_by_side_are_the_image(parties: int, height: int, width: int, horizontal: bool) -> None:
    images = picture(height=height, width=width)
    dimension, side = (2, height) if horizontal else (3, width)
    strips = Strips(parties, axis="horizontal" if horizontal else "vertical")
    if parties > side:
        with pytest.raises(ValueError, match="give fewer parties"):
            strips.split(table_of(images), "bob")
        return
    pieces = blocks(strips.split(table_of(images), "bob"))
    assert len(pieces) == parties
    assert torch.equal(torch.cat(pieces, dimension), images)
    assert max(piece.shape[dimension] for piece in pieces) - min(piece.shape[dimension] for piece in pieces) <= 1


def test_halves_are_left_and_right() -> None:
    images = picture(width=6)
    left, right = blocks(Strips(["left", "right"]).split(table_of(images), "bob"))
    assert torch.equal(left, images[..., :3])
    assert torch.equal(right, images[..., 3:])


@given(height=st.integers(2, 9), width=st.integers(2, 9))
def test_quadrants_put_together_row_by_row_are_the_image(height: int, width: int) -> None:
    images = picture(height=height, width=width)
    upper_left, upper_right, lower_left, lower_right = blocks(Quadrants().split(table_of(images), "bob"))
    upper, lower = torch.cat([upper_left, upper_right], 3), torch.cat([lower_left, lower_right], 3)
    assert torch.equal(torch.cat([upper, lower], 2), images)


@given(parties=st.integers(1, 9), count=st.integers(9, 20))
def test_even_columns_are_consecutive_and_even(parties: int, count: int) -> None:
    frame = columns(count=count)
    tables = EvenColumns(parties).split(table_of(frame), "bob")
    pieces = [table.features for table in tables.values() if isinstance(table.features, pd.DataFrame)]
    pd.testing.assert_frame_equal(pd.concat(pieces, axis=1), frame)
    sizes = [piece.shape[1] for piece in pieces]
    assert len(sizes) == parties
    assert max(sizes) - min(sizes) <= 1


def test_even_columns_of_images_are_flat_pixels_in_reading_order() -> None:
    images = picture()
    pieces = blocks(EvenColumns(3).split(table_of(images), "bob"))
    assert torch.equal(torch.cat(pieces, 1), images.flatten(1))


@pytest.mark.usefixtures("global_random_state_untouched")
@pytest.mark.parametrize("seed", [0, 1])
def test_random_columns_hold_every_pixel_once_and_the_same_in_every_row(seed: int) -> None:
    images = picture(rows=3)
    pieces = blocks(RandomColumns(3, seed=seed).split(table_of(images), "bob"))
    assert [piece.shape for piece in pieces] == [(3, 24), (3, 23), (3, 23)]
    assert torch.equal(torch.cat(pieces, 1).sort(1).values, images.flatten(1))
    assert all(torch.equal(piece - piece[:1], images.flatten(1)[:, :1].expand_as(piece)) for piece in pieces)


def test_random_columns_are_drawn_by_seed_and_alike_in_every_split() -> None:
    def drawn(seed: int, rows: int) -> list[list[str]]:
        tables = RandomColumns(2, seed=seed).split(table_of(columns(rows=rows, count=12)), "bob")
        return [list(table.features) for table in tables.values() if isinstance(table.features, pd.DataFrame)]

    assert drawn(0, rows=4) == drawn(0, rows=9)
    assert drawn(0, rows=4) != drawn(1, rows=4)
    assert drawn(0, rows=4)[0] != [f"c{number}" for number in range(6)]


def test_named_columns_come_in_the_order_given() -> None:
    frame = columns()
    tables = NamedColumns({"alice": ["c4", "c0"], "carol": ["c2", "c1", "c3"]}).split(table_of(frame), "bob")
    pd.testing.assert_frame_equal(tables["alice"].features, frame[["c4", "c0"]])
    pd.testing.assert_frame_equal(tables["carol"].features, frame[["c2", "c1", "c3"]])
