"""How good a guess is, beside what a guess without any view is worth."""

from __future__ import annotations

from collections.abc import Collection

from torch import Tensor

from vertical_lightning.split.metrics import auroc
from vertical_lightning.split.view import Guess


def grade(guess: Guess, rows: Tensor, truth: Tensor, known: Collection[int] = ()) -> dict[str, float]:
    """Compare a guess with the truth, on rows that the attacker did not know.

    Args:
        guess: The attacker's.
        rows: Row numbers `[rows]`.
        truth: Their class numbers `[rows]`.
        known: Row numbers that the attacker was granted the labels of.

    Returns:
        `accuracy` over the guessed rows; `baseline`, the share of the most frequent class among them; of two classes `auc`,
        the larger of the area under the ROC curve and of what is left of 1, as the sign of a score is free; and how many
        `rows` were guessed.

    Raises:
        ValueError: The guess names rows that there are none of, or no row at all.

    >>> import torch
    >>> guess = Guess(torch.tensor([5, 3, 4]), torch.tensor([1, 0, 1]))
    >>> grade(guess, torch.tensor([3, 4, 5, 6]), torch.tensor([0, 0, 1, 1]), known=[5])
    {'rows': 2.0, 'accuracy': 0.5, 'baseline': 1.0}
    """
    number = {row: place for place, row in enumerate(rows.tolist())}
    kept = [place for place, row in enumerate(guess.rows.tolist()) if row not in known]
    if not kept or any(row not in number for row in guess.rows.tolist()):
        raise ValueError("the attack's guess names no training row, or rows that are none; it must name rows of its view.")
    true = truth[[number[int(guess.rows[place])] for place in kept]]
    guessed = guess.labels[kept].to(true.device)
    graded = {
        "rows": float(len(kept)),
        "accuracy": float((guessed == true).double().mean()),
        "baseline": float(true.bincount().max()) / len(true),
    }
    if guess.scores is not None and int(truth.max()) <= 1:
        area = auroc([guess.scores[kept]], [true])
        graded["auc"] = max(area, 1 - area)
    return graded
