"""Labels that are numbers: the split network equals the uncut one, metrics are exact."""

from __future__ import annotations

import json
import math
from functools import partial
from statistics import fmean, pstdev

import pytest
import reference
import torch
from aligned_data import synthetic
from equality import pair_up
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error
from split_runs import MERGES, OPTIMIZERS, TOPOLOGIES, WIDTHS, Recorded, batches, feature_parties, fit
from torch import Tensor

from vertical_lightning.architectures.mlp import Mlp
from vertical_lightning.data.partitions.common import check_parts
from vertical_lightning.schema import PartyTable
from vertical_lightning.split.classification import Classification
from vertical_lightning.split.number_totals import NumberTotals
from vertical_lightning.split.regression import Regression
from vertical_lightning.split.split_module import SplitModule
from vertical_lightning.split.task import following_labels
from vertical_lightning.split.topology import Topology

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize(
    ("topology", "merge"),
    [("splitnn", "concat"), ("splitnn_holder", "attention"), ("u_shaped", "max"), ("relay", "mean"), ("aggregate", "sum")],
)
def test_split_equals_uncut(topology: str, merge: str, optimizer: str) -> None:
    """Law 1 for the mean squared error: losses and every weight, against one plain module in one plain loop."""
    torch.manual_seed(0)
    shapes = {party: (number + 2,) for number, party in enumerate(feature_parties(topology, 3))}
    owners, cut = TOPOLOGIES[topology]
    network = Topology(Mlp(WIDTHS), shapes, 1, "bob", owners=owners, cut=cut, merge=MERGES[merge]).double()
    uncut = uncut_mlp(len(network.bottoms["party_0"]), merge).double()
    with torch.no_grad():
        for _, ours, theirs in (pairs := pair_up(network, uncut)):
            source, target = (theirs, ours) if theirs is uncut.query else (ours, theirs)
            target.copy_(source)
    generator = torch.Generator().manual_seed(1)
    steps = batches(shapes, 3, torch.float64)
    steps = [batch._replace(labels=1000 + 50 * torch.randn(len(batch.rows), generator=generator)) for batch in steps]
    module = Recorded(network, OPTIMIZERS[optimizer], task=Regression(mean=990.0, spread=40.0))
    fit(module, steps, max_epochs=2)

    descent, losses = OPTIMIZERS[optimizer](uncut.parameters()), []
    for batch in steps * 2:
        descent.zero_grad()
        predicted = uncut(list(batch.features.values()))[:, 0]
        loss = torch.nn.functional.mse_loss(predicted, (batch.labels.double() - 990) / 40)
        loss.backward()
        descent.step()
        losses.append(loss.item())
    assert module.losses == pytest.approx(losses, abs=1e-12)
    for party, ours, theirs in pairs:
        torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12, msg=lambda text, party=party: f"{party}: {text}")


def uncut_mlp(cut: int, merge: str) -> reference.Uncut:
    """Build the reference with one output."""
    widths = [*WIDTHS, 1]
    bottoms = [reference.mlp_layers([number + 2, *widths[:cut]], logits=cut == len(widths)) for number in range(3)]
    arriving = widths[cut - 1] * (3 if merge == "concat" else 1)
    query = torch.randn(3, widths[cut - 1]) if merge == "attention" else None
    return reference.Uncut(bottoms, merge, reference.mlp_layers([arriving, *widths[cut:]], logits=True), query)


def by_sklearn(logits: Tensor, labels: Tensor, task: Regression) -> dict[str, float]:
    """Compute all metrics from all rows at once."""
    true, predicted = labels.double(), task.mean + task.spread * logits[:, 0].double()
    found = {"rmse": root_mean_squared_error, "mae": mean_absolute_error, "r2": r2_score}
    return {"loss": float(((predicted - true) / task.spread).square().mean())} | {
        name: float(metric(true, predicted)) for name, metric in found.items()
    }


@pytest.mark.parametrize("center", [0.0, 3.0, 1e6], ids=str)
@pytest.mark.parametrize("sizes", [[1, 1], [7, 1, 30, 2], [64, 64, 3]], ids=str)
def test_metrics_are_sklearns_whatever_the_batch_sizes(sizes: list[int], center: float) -> None:
    generator = torch.Generator().manual_seed(sum(sizes))
    labels = center + 5 * torch.randn(sum(sizes), generator=generator)
    logits = torch.randn(sum(sizes), 1, generator=generator)
    task = Regression(center - 1.5, 4.0)
    early, late = task.totals(), task.totals()
    for place, (some, true) in enumerate(zip(logits.split(sizes), labels.split(sizes), strict=True)):
        (late if place else early).update(task.loss(some, true), some, true)
    early.merge(task.totals())
    early.merge(late)
    assert early.compute() == pytest.approx(by_sklearn(logits, labels, task), rel=1e-9)
    assert early.means() == {name: value for name, value in early.compute().items() if name != "r2"}


def test_r2_is_undefined_where_labels_do_not_vary() -> None:
    totals = NumberTotals(mean=0.0, spread=1.0)
    assert totals.compute() == totals.means() == {}
    for rows in (3, 1, 6):
        totals.update(torch.tensor(1.0), torch.ones(rows, 1), torch.full((rows,), 0.1))
    assert math.isnan(totals.compute()["r2"])
    assert totals.compute()["mae"] == pytest.approx(0.9)


def test_sums_go_on_from_a_checkpoint_to_the_bit() -> None:
    generator = torch.Generator().manual_seed(0)
    rows = [(torch.randn(size, 1, generator=generator), 1e3 * torch.randn(size, generator=generator)) for size in (5, 3, 8)]
    task = Regression(1.0, 3.0)
    whole, first, second = task.totals(), task.totals(), task.totals()
    for place, (logits, labels) in enumerate(rows):
        whole.update(task.loss(logits, labels), logits, labels)
        if place == 1:
            second.load_state_dict(json.loads(json.dumps(first.state_dict())))
        (second if place else first).update(task.loss(logits, labels), logits, labels)
    assert second.state_dict() == whole.state_dict()


def test_mean_and_spread_are_the_training_labels() -> None:
    data = synthetic(2, rows=150, classes=0)
    data.setup("fit")
    labels = data.splits["train"].labels
    assert data.classes == () and labels.dtype == torch.float32 and isinstance(data.task, Regression)
    expected = fmean(labels.tolist()), pstdev(labels.tolist())
    assert (data.task.mean, data.task.spread) == pytest.approx(expected)
    assert following_labels((), torch.full((7,), 0.1)).spread == 1.0, "labels that do not vary"
    assert following_labels(["no", "yes"], torch.tensor([0, 1, 1])) == Classification(2)


@pytest.mark.parametrize(("mean", "spread"), [(0.0, 0.0), (0.0, -1.0), (math.nan, 1.0), (0.0, math.inf)])
def test_what_cannot_standardize_is_refused(mean: float, spread: float) -> None:
    with pytest.raises(ValueError, match="cannot standardize labels; give a finite mean and a finite spread above 0"):
        Regression(mean, spread)


def test_labels_that_are_not_finite_are_refused_before_alignment() -> None:
    table = PartyTable(["a", "b", "c"], torch.zeros(3, 1), torch.tensor([1.0, math.nan, math.inf]))
    with pytest.raises(ValueError, match=r"2 of bob's 3 labels are not finite; .* leave such rows out"):
        check_parts({"bob": table, "alice": PartyTable(["a"], torch.zeros(1, 1))})


def test_a_task_that_does_not_fit_the_network_is_refused() -> None:
    network = Topology(Mlp([4]), {"alice": (3,)}, 2, "bob", owners=["bob"], cut=1, merge=MERGES["concat"])
    sgd = partial(torch.optim.SGD, lr=0.1)
    with pytest.raises(ValueError, match=r"outputs=2, but Regression\(.*\) needs 1: build it with outputs=task.outputs"):
        SplitModule(network, sgd, task=Regression(0.0, 1.0))
    assert SplitModule(network, sgd).task == Classification(2)
