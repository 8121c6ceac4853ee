"""All rows lie where they are trained on, so that no batch has to be moved. Without a GPU the other device is `meta`."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from aligned_data import numbered

from vertical_lightning.data.datamodule import VerticalDataModule

DEVICES = [
    "meta",
    pytest.param("cuda:0", marks=[pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")]),
]


def prepared(device: str, workers: int = 0) -> VerticalDataModule:
    data = numbered(2, rows=100, batch_size=32, workers=workers, val_fraction=0.2, test_fraction=0.2)
    data.setup("fit")
    data.trainer = SimpleNamespace(strategy=SimpleNamespace(root_device=torch.device(device)))
    return data


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("split", ["train", "val", "test"])
def test_batches_come_from_the_device(split: str, device: str) -> None:
    data = prepared(device)
    loader = getattr(data, f"{split}_dataloader")()
    batches = list(loader)
    assert sum(len(batch.rows) for batch in batches) == len(data.splits[split]) > 0
    for batch in batches:
        tensors = [*batch.features.values(), batch.labels, batch.rows]
        assert {str(one.device) for one in tensors} == {device} and batch.to(torch.device(device)) is batch
    assert data.splits[split].rows.device.type == "cpu", "who predicts or resumes looks there"


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_they_are_the_batches_of_the_cpu() -> None:
    for ours, theirs in zip(prepared("cuda:0").train_dataloader(), prepared("cpu").train_dataloader(), strict=True):
        assert torch.equal(ours.rows.cpu(), theirs.rows)
        assert all(torch.equal(block.cpu(), theirs.features[party]) for party, block in ours.features.items())


def test_loader_processes_keep_rows_on_the_cpu() -> None:
    assert {batch.rows.device.type for batch in prepared("meta", workers=1).train_dataloader()} == {"cpu"}
