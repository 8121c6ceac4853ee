"""Named columns become numbers, whatever they hold."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from vertical_lightning.data.sources.adult import Adult
from vertical_lightning.data.table_encoding import TableEncoding

nan = float("nan")


def test_the_table_is_numbers_first_then_one_column_a_category() -> None:
    frame = pd.DataFrame({"job": ["nurse", "cook"], "age": [20, 40], "sex": pd.Categorical(["m", "f"])})
    expected = [[-1, 0, 1, 0, 1], [1, 1, 0, 1, 0]]  # age | cook, nurse | f, m
    assert TableEncoding().fit(frame).transform(frame).tolist() == expected


def test_an_unseen_category_is_a_row_of_zeros() -> None:
    fitted = TableEncoding().fit(pd.DataFrame({"job": ["cook", "nurse"]}))
    assert fitted.transform(pd.DataFrame({"job": ["pilot", "cook"]})).tolist() == [[0, 0], [1, 0]]


@pytest.mark.parametrize("missing", [None, nan, pd.NA])
def test_a_missing_category_is_a_category_of_its_own(missing: object) -> None:
    fitted = TableEncoding().fit(pd.DataFrame({"job": ["cook", missing, "nurse"]}))
    assert fitted.transform(pd.DataFrame({"job": ["cook", missing, "nurse"]})).tolist() == torch.eye(3)[[0, 2, 1]].tolist()
    # Alone in its table, it has another dtype for pandas, but is the same category.
    assert fitted.transform(pd.DataFrame({"job": [missing]})).tolist() == [[0, 0, 1]]


def test_a_category_missing_only_in_test_rows_is_unseen() -> None:
    fitted = TableEncoding().fit(pd.DataFrame({"job": ["cook", "nurse"]}))
    assert fitted.transform(pd.DataFrame({"job": ["cook", None]})).tolist() == [[1, 0], [0, 0]]


def test_a_missing_number_is_the_training_median() -> None:
    fitted = TableEncoding().fit(pd.DataFrame({"age": [1.0, nan, 2.0, 9.0]}))
    number, missing = fitted.transform(pd.DataFrame({"age": [2.0, nan]}))
    assert number == missing
    assert number < 0  # below the mean: not the mean


def test_constant_and_all_missing_columns_do_no_harm() -> None:
    frame = pd.DataFrame({"one": [3, 3], "gap": [nan, nan], "word": ["a", "a"], "void": [None, None], "x": [0, 2]})
    encoded = TableEncoding().fit(frame).transform(frame)
    assert encoded.tolist() == [[0, 0, -1, 1, 1], [0, 0, 1, 1, 1]]  # one, gap, x | a | missing


def test_all_of_pandas_kinds_of_columns_are_understood() -> None:
    frame = pd.DataFrame(
        {
            "flag": [True, False],
            "nullable": pd.array([1, None], dtype="Int64"),
            "float32": np.array([1, 3], dtype=np.float32),
            "mixed": ["a", 1],
            "string": pd.array(["x", None], dtype="string"),
        }
    )
    encoded = TableEncoding().fit(frame).transform(frame)
    assert encoded.tolist() == [[1, 0, -1, 0, 1, 1, 0], [-1, 0, 1, 1, 0, 0, 1]]


def test_only_numbers_and_only_categories_work() -> None:
    assert TableEncoding().fit(columns := pd.DataFrame({"x": [0, 2]})).transform(columns).shape == (2, 1)
    assert TableEncoding().fit(columns := pd.DataFrame({"x": ["a", "b"]})).transform(columns).shape == (2, 2)


def test_columns_are_found_by_name_not_by_place() -> None:
    frame = pd.DataFrame({"x": [0, 2], "y": [5, 9]})
    fitted = TableEncoding().fit(frame)
    assert torch.equal(fitted.transform(frame[["y", "x"]]), fitted.transform(frame))


def test_other_columns_than_in_training_are_named() -> None:
    fitted = TableEncoding().fit(pd.DataFrame({"x": [0, 2]}))
    with pytest.raises(ValueError, match=r"Columns \['y'\] differ from those in training; give \['x'\]"):
        fitted.transform(pd.DataFrame({"y": [0, 2]}))


def test_adult_is_encoded_without_gaps() -> None:
    tables = Adult().load()
    fitted = TableEncoding().fit(tables["train"].features)
    train, test = (fitted.transform(tables[split].features) for split in ("train", "test"))
    assert train.shape[1] == test.shape[1]
    assert train.isfinite().all()
    assert test.isfinite().all()
    assert train[:, :6].mean(0).abs().max() < 1e-4
    assert (train[:, 6:].sum(1) == 8).all()  # eight categories, each one of its values, missing ones too
