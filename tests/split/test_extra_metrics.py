"""metrics=: further metrics of torchmetrics, equal to scikit-learn's, whatever the batches, in processes and after a stop."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
import torch
import torchmetrics
from job import SMALL, run
from sklearn.metrics import average_precision_score, f1_score, top_k_accuracy_score

from vertical_lightning.split import extra_metrics
from vertical_lightning.split.classification import Classification
from vertical_lightning.split.extra_metrics import ExtraMetrics, begun
from vertical_lightning.split.regression import Regression

F1 = partial(torchmetrics.F1Score, average="macro")
TOP = partial(torchmetrics.Accuracy, top_k=3)
AP = torchmetrics.AveragePrecision
CE = torchmetrics.CalibrationError


def drawn(classes: int, rows: int = 100) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(rows, classes, generator=generator), torch.randint(classes, (rows,), generator=generator)


def added(task: object, factories: dict, logits: torch.Tensor, labels: torch.Tensor, size: int) -> ExtraMetrics:
    def fresh() -> ExtraMetrics:
        return ExtraMetrics(task.totals(), {name: begun(name, make, task) for name, make in factories.items()}, task)

    whole = fresh()
    for start in range(0, len(labels), size):
        part = fresh()
        block, truth = logits[start : start + size], labels[start : start + size]
        part.update(task.loss(block, truth), block, truth)
        whole.merge(part)
    return whole


@pytest.mark.parametrize("size", [7, 100])
@pytest.mark.parametrize("chunk", [1, 30, 8192])
def test_five_classes(size: int, chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extra_metrics, "CHUNK", chunk)
    logits, labels = drawn(5)
    found = added(Classification(5), {"f1": F1, "top_3": TOP, "calibration_error": CE}, logits, labels, size).compute()
    assert found["f1"] == pytest.approx(f1_score(labels, logits.argmax(dim=1), average="macro"), abs=1e-6)
    assert found["top_3"] == pytest.approx(top_k_accuracy_score(labels, logits, k=3), abs=1e-6)
    assert found["accuracy"] == pytest.approx((logits.argmax(dim=1) == labels).float().mean().item(), abs=1e-6)


@pytest.mark.parametrize("size", [7, 100])
def test_of_two_classes_the_second_is_positive(size: int) -> None:
    logits, labels = drawn(2)
    task = Classification(2)
    found = added(task, {"f1": F1, "average_precision": AP}, logits, labels, size).compute()
    score = logits.softmax(dim=1)[:, 1]
    assert found["f1"] == pytest.approx(f1_score(labels, score > 0.5), abs=1e-6)
    assert found["average_precision"] == pytest.approx(average_precision_score(labels, score), abs=1e-6)
    assert found.keys() == {"loss", "accuracy", "auroc", "f1", "average_precision"}


def test_numbers_in_their_own_units() -> None:
    logits, labels = torch.tensor([[0.0], [1.0]]), torch.tensor([10.0, 14.0])
    task = Regression(10.0, 2.0)
    found = added(task, {"percentage_error": torchmetrics.MeanAbsolutePercentageError}, logits, labels, 1).compute()
    assert found["percentage_error"] == pytest.approx((0 + 2 / 14) / 2, abs=1e-6)


@pytest.mark.parametrize("chunk", [20, 8192])
def test_a_stopped_epoch_goes_on(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extra_metrics, "CHUNK", chunk)
    logits, labels = drawn(3)
    task = Classification(3)
    whole = added(task, {"f1": F1}, logits, labels, 10).compute()
    half = added(task, {"f1": F1}, logits[:50], labels[:50], 10)
    resumed = ExtraMetrics(task.totals(), {"f1": begun("f1", F1, task)}, task)
    resumed.load_state_dict(half.state_dict())
    later = ExtraMetrics(task.totals(), {"f1": begun("f1", F1, task)}, task)
    later.update(task.loss(logits[50:], labels[50:]), logits[50:], labels[50:])
    resumed.merge(later)
    assert resumed.compute() == pytest.approx(whole)


@pytest.mark.parametrize(
    ("name", "factory", "said"),
    [
        ("per_class", partial(torchmetrics.F1Score, average=None), "metrics.per_class gives no single number"),
        ("calibration", CE, "metrics.calibration: less of MulticlassCalibrationError is better, and its name says otherwise"),
        ("f1_error", F1, "metrics.f1_error: more of MulticlassF1Score is better"),
        ("rmse", torchmetrics.MeanSquaredError, "metrics.rmse cannot measure Classification"),
    ],
)
def test_what_cannot_be_measured(name: str, factory: object, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        begun(name, factory, Classification(3))  # type: ignore[arg-type]


@pytest.mark.filterwarnings("ignore")
def test_a_run_logs_them_for_all_rows_and_may_be_told_to_monitor_them(tmp_path: Path) -> None:
    words = [*SMALL, "partition=halves", "trainer.max_epochs=2", "threads=1"]
    words += [
        "metrics=[f1,top_5,average_precision,calibration_error]",
        "callbacks.checkpoint.monitor=val/f1",
        "objective=val/f1",
    ]
    one = run(tmp_path / "one", *words)
    names = {f"{phase}/{name}" for phase in ("train", "val", "test") for name in ("f1", "top_5", "calibration_error")}
    assert names < set(one)
    several = run(tmp_path / "several", *words, "execution=gloo")
    assert {name: several[name] for name in names} == {name: one[name] for name in names}


def test_an_unknown_metric_is_refused_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"objective=val/f1 is no metric of this run; there are .*val/accuracy"):
        run(tmp_path, *SMALL, "objective=val/f1")
