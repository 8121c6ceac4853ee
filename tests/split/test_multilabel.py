"""Several labels a row: the loss, the metrics, whole runs from made-up tables and from files."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import torch
from job import configuration, run
from sklearn.metrics import roc_auc_score
from torch.nn.functional import binary_cross_entropy_with_logits

from vertical_lightning.split.multilabel import Multilabel, multilabel

QUICK = ["trainer.max_epochs=8", "batch_size=32", "architecture=tabular", "callbacks.progress_bar.refresh_rate=0", "threads=1"]
NAMES = ["late", "returned", "complained"]


def drawn(rows: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(rows, 3, generator=generator), torch.randint(2, (rows, 3), generator=generator).float()


def test_the_loss_is_torchs_and_metrics_are_scikit_learns() -> None:
    logits, labels = drawn(40)
    task = multilabel(NAMES, labels)
    loss = task.loss(logits, labels)
    torch.testing.assert_close(loss, binary_cross_entropy_with_logits(logits, labels))
    first, second = task.totals(), task.totals()
    first.update(task.loss(logits[:30], labels[:30]), logits[:30], labels[:30])
    second.update(task.loss(logits[30:], labels[30:]), logits[30:], labels[30:])
    first.merge(second)
    found, right = first.compute(), (logits > 0) == (labels > 0)
    assert found["loss"] == pytest.approx(loss.item())
    assert found["accuracy"] == pytest.approx(right.float().mean().item())
    assert found["exact_match"] == pytest.approx(right.all(dim=1).float().mean().item())
    assert found["auroc"] == pytest.approx(roc_auc_score(labels, logits, average="macro"))
    again = task.totals()
    again.load_state_dict(first.state_dict())
    assert again.compute() == found


def test_weights_and_smoothing_change_what_is_minimized_and_no_metric() -> None:
    logits, labels = drawn(20)
    plain, other = Multilabel(3), multilabel(NAMES, labels, "balanced", 0.2)
    loss = other.loss(logits, labels)
    yeses = labels.sum(dim=0)
    expected = binary_cross_entropy_with_logits(logits, labels * 0.8 + 0.1, pos_weight=(20 - yeses) / yeses)
    torch.testing.assert_close(loss, expected)
    torch.testing.assert_close(other.reported(loss, logits, labels), plain.loss(logits, labels))


def test_a_run_learns(tmp_path: Path) -> None:
    metrics = run(tmp_path, "data=synthetic", "data.labels=3", "objective=val/exact_match", "metrics=f1", *QUICK)
    assert metrics["test/accuracy"] > 0.75 and metrics["test/auroc"] > 0.85 and metrics["test/f1"] > 0.7
    assert metrics["test/exact_match"] < metrics["test/accuracy"]


@pytest.mark.filterwarnings("ignore")
def test_the_same_between_processes(tmp_path: Path) -> None:
    words = ["data=synthetic", "data.labels=3", "task=multilabel", "metrics=[f1]", *QUICK, "trainer.max_epochs=2"]
    one, several = run(tmp_path / "one", *words), run(tmp_path / "several", *words, "execution=gloo")
    assert {name: several[name] for name in one if name.startswith(("train/", "val/", "test/"))} == {
        name: value for name, value in one.items() if name.startswith(("train/", "val/", "test/"))
    }


def files(folder: Path, strange: object = "no") -> list[str]:
    generator = torch.Generator().manual_seed(1)
    features = torch.randn(200, 3, generator=generator)
    labels = features @ torch.tensor([[1.0, 0.0], [1.0, 1.0], [0.0, -1.0]]) > 0
    shop = pd.DataFrame({"id": range(200), **{f"x{number}": features[:, number].tolist() for number in range(2)}})
    bank = pd.DataFrame({"id": range(200), "x2": features[:, 2].tolist(), "late": labels[:, 0].tolist()})
    bank["paid"] = ["yes" if yes else "no" for yes in labels[:, 1].tolist()]
    bank.loc[0, "paid"] = strange
    for name, table in (("shop", shop), ("bank", bank)):
        table.to_csv(folder / f"{name}.csv", index=False)
    return [
        *("data=files", "label_holder=bank", f"++data.parties.bank.path={folder}/bank.csv"),
        *("++data.parties.bank.label=[late,paid]", f"++data.parties.shop.path={folder}/shop.csv"),
    ]


def test_files_may_have_several_columns_of_labels(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    metrics = run(tmp_path / "run", *files(tmp_path), *QUICK, "trainer.max_epochs=15")
    assert metrics["train/auroc"] > 0.9
    assert "2 labels a row" in capsys.readouterr().out


def test_a_label_that_is_neither_yes_nor_no_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="column paid in the all table has the label 'maybe'; of several labels each is yes"):
        run(tmp_path / "run", *files(tmp_path, "maybe"), *QUICK)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["task=classification"], "task=classification needs classes, and these labels are none"),
        (["task=regression"], "task=regression needs numbers, and the labels are 3 classes"),
        (["task.class_weights=[1,2]"], "task.class_weights has 2 numbers for 3 labels"),
        (["task.label_smoothing=1.0"], "task.label_smoothing=1.0 is not allowed"),
        (["objective=val/rmse"], "objective=val/rmse is no metric of this run"),
        (["datamodule.stratify=true"], "stratify=true needs classes, and here are none"),
    ],
)
def test_what_does_not_go_with_it(words: list[str], said: str, tmp_path: Path) -> None:
    from vertical_lightning.run.execution import execute

    with pytest.raises(ValueError, match=said.replace("[", r"\[")):
        execute(configuration(tmp_path, "data=synthetic", "data.labels=3", *QUICK, *words))


def test_one_label_is_no_task_of_several(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="task=multilabel needs several labels a row"):
        run(tmp_path, "data=synthetic", "task=multilabel", *QUICK)
