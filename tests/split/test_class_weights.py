"""Rare classes may count more in the loss, and in nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from job import SMALL, run
from torch.nn import functional

from vertical_lightning.split.class_weights import class_weights_of
from vertical_lightning.split.classification import Classification


def test_the_loss_is_weighted_and_what_is_reported_is_not() -> None:
    logits, labels = torch.randn(20, 3, dtype=torch.float64, requires_grad=True), torch.arange(20) % 3
    task = Classification(3, (1.0, 2.0, 5.0))
    loss = task.loss(logits, labels)
    row = functional.cross_entropy(logits, labels, reduction="none")
    share = torch.tensor([1.0, 2.0, 5.0], dtype=torch.float64)[labels]
    torch.testing.assert_close(loss, (share * row).sum() / share.sum())
    torch.testing.assert_close(task.reported(loss, logits, labels), row.mean())
    assert not torch.isclose(loss, row.mean())


def test_balanced_makes_all_classes_count_the_same() -> None:
    labels = torch.tensor([0] * 6 + [1] * 3 + [2])
    weights = torch.tensor(class_weights_of("balanced", ["a", "b", "c"], labels))
    torch.testing.assert_close(weights * labels.bincount(), torch.full((3,), 10 / 3))


def test_numbers_have_no_classes_to_weigh() -> None:
    with pytest.raises(ValueError, match=r"task\.class_weights=balanced needs classes"):
        class_weights_of("balanced", (), torch.rand(5))


@pytest.mark.parametrize("choice", ["task.class_weights=[9,1,1,1,1,1,1,1,1,1]", "task.class_weights=balanced"])
def test_a_run_trains_by_them(choice: str, tmp_path: Path) -> None:
    short = [*SMALL, "trainer.max_epochs=1", "logger=none"]
    plain, weighted = run(tmp_path / "plain", *short), run(tmp_path / "weighted", *short, choice)
    assert plain["test/loss"] != weighted["test/loss"]
