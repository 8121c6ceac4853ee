"""Metrics are exact means over rows, whatever the batch sizes; ROC AUC is a count of pairs."""

from __future__ import annotations

from itertools import product

import pytest
import pytorch_lightning as pl
import torch
from aligned_data import synthetic
from split_runs import OPTIMIZERS, Recorded, quiet_trainer
from torch import Tensor

from vertical_lightning.architectures.mlp import Mlp
from vertical_lightning.merges.concat import Concat
from vertical_lightning.schema import VerticalBatch
from vertical_lightning.split.metrics import Totals, auroc
from vertical_lightning.split.topology import Topology

pytestmark = pytest.mark.filterwarnings("ignore")


def by_hand(logits: Tensor, labels: Tensor) -> dict[str, float]:
    """Count row by row and pair by pair, in double precision."""
    rows = [
        (-(torch.log_softmax(row, 0)[label].item()), float(int(row.argmax()) == label))
        for row, label in zip(logits.double(), labels.tolist(), strict=True)
    ]
    loss, accuracy = (sum(column) / len(rows) for column in zip(*rows, strict=True))
    means = {"loss": loss, "accuracy": accuracy}
    return means | ({"auroc": pairs((logits[:, 1] - logits[:, 0]).tolist(), labels.tolist())} if logits.shape[1] == 2 else {})


def pairs(scores: list[float], labels: list[int]) -> float:
    """Share of (positive, negative) pairs in the right order; a tie is half a pair."""
    positive = [score for score, label in zip(scores, labels, strict=True) if label == 1]
    negative = [score for score, label in zip(scores, labels, strict=True) if label == 0]
    wins = [(one > other) + (one == other) / 2 for one, other in product(positive, negative)]
    return sum(wins) / len(wins)


class Collect(pl.Callback):
    """Recomputes every training batch's logits before the step, and keeps what was logged."""

    def __init__(self) -> None:
        self.rows: list[tuple[Tensor, Tensor]] = []
        self.epochs: list[dict[str, float]] = []
        self.steps: list[dict[str, float]] = []
        self.by_hand: list[dict[str, float]] = []

    def on_train_batch_start(self, trainer: pl.Trainer, module: Recorded, batch: VerticalBatch, batch_idx: int) -> None:
        with torch.no_grad():
            self.rows.append((module.network(batch.features), batch.labels))

    def on_train_batch_end(self, trainer: pl.Trainer, *rest: object) -> None:
        self.steps.append({name: float(value) for name, value in trainer.callback_metrics.items()})

    def on_train_epoch_start(self, trainer: pl.Trainer, module: Recorded) -> None:
        self.keep(trainer)

    def on_train_end(self, trainer: pl.Trainer, module: Recorded) -> None:
        self.keep(trainer)

    def keep(self, trainer: pl.Trainer) -> None:
        if self.rows:
            self.epochs.append({name: float(value) for name, value in trainer.callback_metrics.items()})
            self.by_hand.append(by_hand(*(torch.cat(column) for column in zip(*self.rows, strict=True))))
            self.rows = []


@pytest.mark.parametrize("every", [1, 3, 50])
@pytest.mark.parametrize("classes", [2, 3])
def test_logged_means_are_those_recomputed_by_hand(classes: int, every: int) -> None:
    data = synthetic(2, rows=150, classes=classes, test_fraction=0.3)
    data.setup("fit")
    assert len(data.splits["train"]) % data.batch_size, "the last batch must be smaller"
    network = Topology(Mlp([4]), data.shapes, classes, "bob", owners=["bob"], cut=1, merge=Concat)
    collect = Collect()
    trainer = quiet_trainer(max_epochs=3, callbacks=[collect], num_sanity_val_steps=0, log_every_n_steps=every)
    trainer.fit(Recorded(network, OPTIMIZERS["sgd"]), datamodule=data)
    assert len(collect.epochs) == 3
    for logged, expected in zip(collect.epochs, collect.by_hand, strict=True):
        assert {name for name in logged if name.startswith("train/")} - {"train/loss_step", "train/accuracy_step"} == {
            f"train/{name}" for name in expected
        }
        for name, value in expected.items():
            assert logged[f"train/{name}"] == pytest.approx(value, abs=2e-6)

    trainer.test(trainer.lightning_module, datamodule=data, verbose=False)
    network.eval()
    for split, metrics in (("val", collect.epochs[-1]), ("test", trainer.callback_metrics)):
        rows = data.splits[split]
        for name, value in by_hand(network(dict(rows.features)), rows.labels).items():
            assert float(metrics[f"{split}/{name}"]) == pytest.approx(value, abs=2e-6)


def test_step_means_are_those_of_the_batches_since_the_last() -> None:
    data = synthetic(2, rows=150)
    data.setup("fit")
    network = Topology(Mlp([4]), data.shapes, 2, "bob", owners=["bob"], cut=1, merge=Concat)
    collect, module = Collect(), Recorded(network, OPTIMIZERS["sgd"])
    quiet_trainer(callbacks=[collect], limit_train_batches=4, log_every_n_steps=2, limit_val_batches=0).fit(
        module, datamodule=data
    )
    assert [step.get("train/loss_step") for step in collect.steps] == [
        None,
        *[pytest.approx(sum(module.losses[:2]) / 2, abs=1e-6)] * 2,
        pytest.approx(sum(module.losses[2:]) / 2, abs=1e-6),
    ]


@pytest.mark.parametrize("levels", [2, 5, 1000])
@pytest.mark.parametrize("seed", range(3))
def test_auroc_counts_pairs_and_ties(levels: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    scores = torch.randint(levels, (60,), generator=generator).float() / 7
    labels = torch.cat([torch.tensor([0, 1]), torch.randint(2, (58,), generator=generator)])
    assert auroc(list(scores.split(7)), list(labels.split(7))) == pytest.approx(
        pairs(scores.tolist(), labels.tolist()), abs=1e-12
    )


def test_auroc_of_one_class_is_undefined() -> None:
    assert torch.tensor(auroc([torch.rand(3)], [torch.ones(3).long()])).isnan()


def test_nothing_is_no_mean() -> None:
    assert Totals().compute() == {}
