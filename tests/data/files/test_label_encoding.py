"""Labels as people write them: which are classes, which are numbers, and what cannot be learned."""

import pandas as pd
import pytest
import torch

from vertical_lightning.data.files.label_encoding import encode_labels, infer


@pytest.mark.parametrize(
    ("values", "task"),
    [
        (["yes", "no"], "classification"),
        ([True, False], "classification"),
        ([0, 1, 1], "classification"),
        ([0.0, 1.0], "classification"),
        (list(range(20)), "classification"),
        (list(range(21)), "regression"),
        ([0.5, 1.0], "regression"),
        (pd.Series([1, 2], dtype="Int64"), "classification"),
        (pd.Series(["a", "b"], dtype="category"), "classification"),
    ],
    ids=str,
)
def test_the_task_is_inferred(values, task):
    assert infer(pd.Series(values)) == task


@pytest.mark.parametrize(
    ("values", "classes"),
    [
        (["b", "a", "b"], ("a", "b")),
        ([10, 9, 10], ("9", "10")),
        ([1.0, 0.0, 1.0], ("0", "1")),
        ([True, False, True], ("False", "True")),
        (pd.Series([2, 1, 2], dtype="Int64"), ("1", "2")),
    ],
    ids=str,
)
def test_classes_are_numbered_in_order(values, classes):
    labels, names = encode_labels({"all": pd.Series(values)})
    assert names == classes
    assert labels["all"].tolist() == [1, 0, 1]
    assert labels["all"].dtype == torch.int64


def test_numbers_stay_numbers():
    labels, names = encode_labels({"all": pd.Series([1.5, -2.0])})
    assert names == () and labels["all"].dtype == torch.float64
    assert labels["all"].tolist() == [1.5, -2.0]


def test_the_task_and_the_order_of_classes_can_be_said():
    labels, names = encode_labels({"all": pd.Series([3, 1])}, task="regression")
    assert names == () and labels["all"].tolist() == [3.0, 1.0]
    labels, names = encode_labels({"all": pd.Series([0.5, 1.5])}, task="classification")
    assert names == ("0.5", "1.5")
    labels, names = encode_labels({"all": pd.Series(["no", "yes"])}, classes=["yes", "no", "never"])
    assert labels["all"].tolist() == [1, 0] and names == ("yes", "no", "never")
    labels, _ = encode_labels({"all": pd.Series([0, 1])}, classes=[1, 0])
    assert labels["all"].tolist() == [1, 0]


def test_classes_that_are_given_are_classes():
    """However many numbers they are."""
    labels, names = encode_labels({"all": pd.Series(range(25))}, classes=range(25))
    assert len(names) == 25 and labels["all"].tolist() == list(range(25))


def test_test_rows_are_numbered_as_training_rows():
    labels, _ = encode_labels({"train": pd.Series(["b", "a"]), "test": pd.Series(["b", "b"])})
    assert labels["test"].tolist() == [1, 1]
    labels, _ = encode_labels({"train": pd.Series([1, 0]), "test": pd.Series([1.0, 1.0])})
    assert labels["test"].tolist() == [1, 1]


@pytest.mark.parametrize(
    ("labels", "options", "said"),
    [
        ({"all": ["a", "a"]}, {}, "1 class in 2 rows; there is nothing to learn"),
        ({"train": ["a", "b"], "test": ["c"]}, {}, "1 classes of column y in the test table .*known ones \\(a, b\\)"),
        ({"all": ["a", "b"]}, {"classes": ["a", "x"]}, "List all in data.classes"),
        ({"all": ["a", "b"]}, {"task": "regression"}, "2 of 2 labels in column y are no numbers"),
        ({"all": [1, 2]}, {"task": "regression", "classes": [1, 2]}, "goes with data.task=classification"),
        ({"all": ["a", "b"]}, {"classes": ["a", "a", "b"]}, "names each class once"),
        ({"all": [*map(str, range(30)), "?"]}, {}, "31 different labels in 31 rows, 30 of them numbers"),
        ({"all": [f"name {row}" for row in range(101)]}, {}, "101 different labels in 101 rows, 0 of them numbers"),
        ({"all": pd.to_datetime(["2020-01-01", "2021-01-01"])}, {}, "holds dates or times"),
        ({"all": ["a", "b"]}, {"task": "ranking"}, "data.task=ranking is none of classification, regression"),
    ],
    ids=str,
)
def test_labels_that_cannot_be_learned(labels, options, said):
    with pytest.raises(ValueError, match=said):
        encode_labels({table: pd.Series(values, name="y") for table, values in labels.items()}, **options)
