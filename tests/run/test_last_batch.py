"""One row alone cannot be normalized over its batch: refused before training, where it would come to that."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from aligned_data import synthetic
from torch import nn

from vertical_lightning.data.datamodule import VerticalDataModule
from vertical_lightning.merges.concat import Concat
from vertical_lightning.run.last_batch import check_last_batch
from vertical_lightning.schema import Shape, StageFactory
from vertical_lightning.split.topology import Topology


class Normalized:
    """A stage that normalizes columns over the batch, where `stage` says so, and a head."""

    def __init__(self, stage: type[nn.Module]) -> None:
        self.stage = stage

    def stages(self, outputs: int) -> dict[str, StageFactory]:
        def fc1(shape: Shape) -> nn.Module:
            return nn.Sequential(nn.Linear(shape[0], 4), self.stage(4))

        return {"fc1": fc1, "head": lambda shape: nn.Linear(shape[0], outputs)}


def pipeline(stage: type[nn.Module], **options: Any) -> tuple[Topology, VerticalDataModule]:
    data = synthetic(rows=200, **options)
    data.setup("fit")
    build = partial(Topology, Normalized(stage), data.shapes, data.task.outputs, data.label_holder)
    return build(owners=["bob"], cut=1, merge=Concat), data


def sizes() -> tuple[int, int]:
    """Batch sizes that leave one row, and none or more, of these training rows."""
    _, data = pipeline(nn.LayerNorm)
    rows = len(data.splits["train"])
    alone = next(size for size in range(2, rows) if rows % size == 1)
    return alone, next(size for size in range(2, rows) if rows % size != 1)


def test_a_last_batch_of_one_row_is_refused_where_it_would_fail() -> None:
    alone, others = sizes()
    network, data = pipeline(nn.BatchNorm1d, batch_size=alone)
    before = {name: one.clone() for name, one in network.state_dict().items()}
    with pytest.raises(ValueError, match=r"leave one row to the smallest batch.*datamodule.drop_last=true"):
        check_last_batch(network, data)
    assert all(one.equal(before[name]) for name, one in network.state_dict().items()), "a look changes nothing"
    check_last_batch(*pipeline(nn.BatchNorm1d, batch_size=alone, drop_last=True))
    check_last_batch(*pipeline(nn.BatchNorm1d, batch_size=others))
    check_last_batch(*pipeline(nn.LayerNorm, batch_size=alone))


def test_batches_of_one_row_are_refused() -> None:
    with pytest.raises(ValueError, match="batches of 1 leave one row"):
        check_last_batch(*pipeline(nn.BatchNorm1d, batch_size=1, drop_last=True))
