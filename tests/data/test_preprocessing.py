"""Scaling is learned from training rows alone."""

from __future__ import annotations

import copy
import runpy
import sys
from types import ModuleType

import pandas as pd
import pytest
import torch

from vertical_lightning.data import preprocessing, table_encoding
from vertical_lightning.data.preprocessing import ImageScaling, Standardization, preprocessor
from vertical_lightning.data.table_encoding import TableEncoding
from vertical_lightning.schema import Features

nan = float("nan")
TRAINING: dict[str, Features] = {
    "images": torch.arange(256, dtype=torch.uint8).reshape(4, 1, 8, 8),
    "numbers": torch.tensor([[1.0, 5.0], [2.0, 5.0], [6.0, 5.0]]),
    "table": pd.DataFrame({"age": [20, 30, 70], "job": ["cook", "nurse", "cook"]}),
}
TEST: dict[str, Features] = {
    "images": torch.full((2, 1, 8, 8), 255, dtype=torch.uint8),
    "numbers": torch.tensor([[1e6, -1e6]]),
    "table": pd.DataFrame({"age": [1000], "job": ["pilot"]}),
}


@pytest.mark.usefixtures("global_random_state_untouched")
@pytest.mark.parametrize("kind", TRAINING)
def test_test_rows_teach_nothing(kind: str) -> None:
    fitted = preprocessor(TRAINING[kind])
    before, untouched = fitted.transform(TRAINING[kind]), copy.deepcopy(TRAINING[kind])
    fitted.transform(TEST[kind])
    assert torch.equal(fitted.transform(TRAINING[kind]), before)
    assert before.dtype == torch.float32
    same = TRAINING[kind].equals(untouched) if kind == "table" else torch.equal(TRAINING[kind], untouched)
    assert same


@pytest.mark.parametrize("kind", TRAINING)
def test_a_row_is_scaled_alike_alone_and_among_others(kind: str) -> None:
    fitted, whole = preprocessor(TRAINING[kind]), TRAINING[kind]
    first = whole.iloc[:1] if isinstance(whole, pd.DataFrame) else whole[:1]
    assert torch.equal(fitted.transform(first), fitted.transform(whole)[:1])


@pytest.mark.parametrize(
    ("kind", "expected"), [("images", ImageScaling), ("numbers", Standardization), ("table", TableEncoding)]
)
def test_the_type_of_the_features_chooses(kind: str, expected: type) -> None:
    assert type(preprocessor(TRAINING[kind])) is expected


def test_pixels_fill_the_range_and_are_copied() -> None:
    pixels = torch.tensor([[0, 51, 255]], dtype=torch.uint8)
    for images, kind in ((pixels[None], None), (pixels, "images")):  # flat ones, where the source says what they are
        assert preprocessor(images, kind).transform(images).flatten().tolist() == [0.0, pytest.approx(0.2), 1.0]
        ranged = preprocessor(images, kind, image_range=(-1.0, 1.0)).transform(images)
        assert ranged.flatten().tolist() == [-1.0, pytest.approx(-0.6), 1.0]
    numbers = torch.tensor([[1.0]])
    ImageScaling().transform(numbers)
    assert numbers.item() == 1.0


def test_an_empty_range_is_refused() -> None:
    with pytest.raises(ValueError, match="low=1, high=1 is no range"):
        ImageScaling(1, 1)


def test_numbers_are_standardized_column_by_column() -> None:
    training = torch.tensor([[1.0, 10.0], [3.0, 50.0]])
    assert Standardization().fit(training).transform(training).tolist() == [[-1, -1], [1, 1]]


def test_constant_and_missing_numbers_do_no_harm() -> None:
    training = torch.tensor([[0.1, nan, 1.0], [0.1, nan, nan], [0.1, nan, 3.0]])
    fitted = Standardization().fit(training)
    step = 1.5**0.5  # the missing number is the median, 2, as in a table
    expected = torch.tensor([[0.0, 0, -step], [0, 0, 0], [0, 0, step]])
    torch.testing.assert_close(fitted.transform(training), expected, atol=1e-6, rtol=0)
    # A column that was constant in training is only centered when it moves later.
    torch.testing.assert_close(fitted.transform(torch.tensor([[0.6, 2.0, 5.0]])), torch.tensor([[0.5, 2.0, 3 * step]]))
    assert fitted.transform(torch.tensor([[nan, nan, nan]])).tolist() == [[0, 0, 0]]


def test_rounding_is_no_spread() -> None:
    fitted = Standardization().fit(torch.full((1001, 1), 0.1, dtype=torch.float64))
    torch.testing.assert_close(fitted.transform(torch.tensor([[0.6]])), torch.tensor([[0.5]]))


def test_a_large_mean_does_not_drown_a_small_spread() -> None:
    training = torch.tensor([[16_777_214.0], [16_777_216.0]])
    assert Standardization().fit(training).transform(training).tolist() == [[-1], [1]]


@pytest.mark.parametrize("wrong", [(TableEncoding(), torch.zeros(1, 1)), (ImageScaling(), pd.DataFrame({"x": [1]}))])
def test_the_wrong_kind_of_features_is_refused(wrong: tuple[TableEncoding | ImageScaling, Features]) -> None:
    with pytest.raises(TypeError, match="use "):
        wrong[0].transform(wrong[1])


@pytest.mark.parametrize("module", [preprocessing, table_encoding])
def test_images_do_not_pay_for_scikit_learn(module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn", None)  # importing it would fail
    assert module.__file__ is not None
    runpy.run_path(module.__file__)
