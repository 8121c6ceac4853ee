"""Labels as a file has them → class numbers, or numbers to predict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from vertical_lightning.data.files.party_rows import Labels

TASKS = ("classification", "regression")

YES, NO = ("yes", "true", "1"), ("no", "false", "0")
MANY = 100
"""Rows, from which text labels that mostly differ are no classes."""

FEW = 20
"""Whole numbers with at most so many different values are taken for classes."""


def infer(labels: pd.Series[Any]) -> str:
    """Say what labels seem to be: text, truth values and a few whole numbers are classes; other numbers are numbers.

    >>> infer(pd.Series(["yes", "no"])), infer(pd.Series([0, 1, 1])), infer(pd.Series([0.5, 1.0]))
    ('classification', 'classification', 'regression')
    """
    if not pd.api.types.is_numeric_dtype(labels) or pd.api.types.is_bool_dtype(labels):
        return "classification"
    values = labels.astype("float64")
    return "classification" if values.nunique() <= FEW and (values == values.round()).all() else "regression"


def encode_labels(
    labels: Mapping[str, Labels], task: str | None = None, classes: Sequence[object] | None = None
) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """Turn each table's labels into numbers; the first table, which is trained on, says what there is.

    Args:
        labels: By table, the training table first; complete; a frame has several labels a row.
        task: `classification`, `regression`, or None to infer it.
        classes: All classes in order, of two the positive one last; None: those of the first table, sorted.

    Returns:
        By table, class numbers int64, several labels `[rows, labels]` float32, or numbers float64; and the names of the classes
        or labels, none for numbers.

    Raises:
        ValueError: There is nothing to learn, a class is unknown, or a label is no number where numbers are wanted.

    >>> encode_labels({"all": pd.Series(["yes", "no", "yes"])})
    ({'all': tensor([1, 0, 1])}, ('no', 'yes'))
    """
    frames = {table: frame for table, frame in labels.items() if isinstance(frame, pd.DataFrame)}
    if frames:
        return several(frames, task, classes)
    return one_each({table: column for table, column in labels.items() if isinstance(column, pd.Series)}, task, classes)


def several(
    frames: Mapping[str, pd.DataFrame], task: str | None, classes: Sequence[object] | None
) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """Turn columns of yes and no, true and false, or 1 and 0 into ones and zeros.

    Raises:
        ValueError: A column holds something else.
    """
    names = tuple(map(str, next(iter(frames.values())).columns))
    if task is not None or classes is not None:
        raise ValueError(f"data.task and data.classes go with one label a row, and here are {len(names)}: leave them null.")
    tensors = {}
    for table, frame in frames.items():
        columns = []
        for name in frame.columns:
            words = pd.Series(_names(frame[name])).str.lower()
            if strange := sorted(set(words) - {*YES, *NO}):
                raise ValueError(
                    f"column {name} in the {table} table has the label {strange[0]!r}; of several labels each is yes or no, "
                    "true or false, 1 or 0."
                )
            columns.append(torch.tensor(words.isin(YES).to_numpy(), dtype=torch.float32))
        tensors[table] = torch.stack(columns, dim=1)
    return tensors, names


def one_each(
    labels: Mapping[str, pd.Series[Any]], task: str | None, classes: Sequence[object] | None
) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """Turn one column of labels into class numbers, or numbers to predict."""
    first = next(iter(labels.values()))
    check(first, task, classes)
    if (task or ("classification" if classes else infer(first))) == "regression":
        return {table: _numbers(column) for table, column in labels.items()}, ()
    words = {table: _names(column) for table, column in labels.items()}
    names = [str(name) for name in classes] if classes is not None else _in_order(first)
    if len(names) < 2:
        raise ValueError(f"column {first.name} has {len(names)} class in {len(first)} rows; there is nothing to learn.")
    number = {name: index for index, name in enumerate(names)}
    for table, column in words.items():
        if unknown := sorted(set(column) - set(names)):
            raise ValueError(
                f"{len(unknown)} classes of column {first.name} in the {table} table are not among the {len(names)} known ones"
                f"{' (' + ', '.join(names) + ')' if len(names) <= FEW else ''}. List all in data.classes."
            )
    return {table: torch.tensor([number[name] for name in column]) for table, column in words.items()}, tuple(names)


def check(labels: pd.Series[Any], task: str | None, classes: Sequence[object] | None) -> None:
    """Refuse what contradicts itself, and labels that are almost surely something else."""
    if task not in (None, *TASKS):
        raise ValueError(f"data.task={task} is none of {', '.join(TASKS)}; null infers it from the labels.")
    if classes is not None and (task == "regression" or len(set(map(str, classes))) < len(classes)):
        raise ValueError(f"data.classes={list(classes)} goes with data.task=classification, and names each class once.")
    if labels.dtype.kind in "mM":
        raise ValueError(f"column {labels.name} holds dates or times, which are no labels; write what matters as a number.")
    if task is None and classes is None and not pd.api.types.is_numeric_dtype(labels):
        values, numbers = labels.nunique(), int(pd.to_numeric(labels.astype(object), errors="coerce").notna().sum())
        if 2 * values > len(labels) > MANY or len(labels) > numbers > 0.9 * len(labels):
            raise ValueError(
                f"column {labels.name} has {values} different labels in {len(labels)} rows, {numbers} of them numbers: repair "
                "those that are none (data.task=regression says which), or say data.task=classification if it is meant."
            )


def _names(column: pd.Series[Any]) -> list[str]:
    """Write classes down alike in all files: the number 1.0 is the class 1."""
    if pd.api.types.is_float_dtype(column) and (column == column.round()).all():
        column = column.astype("int64")
    return [str(value) for value in column]


def _in_order(column: pd.Series[Any]) -> list[str]:
    """Sort numbers as numbers, everything else as text."""
    numeric = pd.api.types.is_numeric_dtype(column)
    return list(dict.fromkeys(_names(column.sort_values()) if numeric else sorted(_names(column))))


def _numbers(column: pd.Series[Any]) -> Tensor:
    numbers = pd.to_numeric(column, errors="coerce").astype("float64")
    if bad := int(numbers.isna().sum()):
        raise ValueError(
            f"data.task=regression, but {bad} of {len(column)} labels in column {column.name} are no numbers. "
            "Repair them, or say data.task=classification."
        )
    return torch.tensor(numbers.to_numpy(), dtype=torch.float64)
