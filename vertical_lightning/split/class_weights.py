"""What a row of each class counts in the loss."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor


def class_weights_of(asked: str | Sequence[float] | None, classes: Sequence[str], labels: Tensor) -> tuple[float, ...]:
    """Return a weight for each class; empty if all count the same.

    Args:
        asked: One number a class; `balanced`: rows ÷ (classes × the class's own rows); None: all count the same.
        classes: The name of each class number; empty where labels are numbers.
        labels: The label holder's training labels.

    Raises:
        ValueError: Weights where labels are numbers, or not one a class.

    >>> import torch
    >>> class_weights_of("balanced", ["no", "yes"], torch.tensor([0, 0, 0, 1]))
    (0.6666666666666666, 2.0)
    """
    if asked is None:
        return ()
    if not classes:
        raise ValueError(f"task.class_weights={asked} needs classes, and the labels are numbers: say task.class_weights=null.")
    if asked == "balanced":
        counts = labels.bincount(minlength=len(classes)).clamp(min=1)  # a class without rows is never weighted
        return tuple((len(labels) / (len(classes) * counts.double())).tolist())
    if len(asked) != len(classes):
        raise ValueError(
            f"task.class_weights has {len(asked)} numbers for {len(classes)} classes: give one for each of "
            f"{', '.join(classes)}, in this order, or balanced."
        )
    return tuple(map(float, asked))
