"""Whether a network can train on the smallest batch of an epoch."""

from __future__ import annotations

import copy

import torch
from torch.nn.modules.batchnorm import _BatchNorm

from vertical_lightning.data.datamodule import VerticalDataModule
from vertical_lightning.split.topology import Topology


def check_last_batch(network: Topology, data: VerticalDataModule) -> None:
    """Refuse a batch of one row where a network normalizes over the rows of a batch.

    Raises:
        ValueError: The smallest batch of an epoch has one row, and the network cannot train on one.
    """
    rows = len(data.splits["train"]) if "train" in data.splits else 0
    smallest = data.batch_size if data.drop_last or rows % data.batch_size == 0 else rows % data.batch_size
    if smallest != 1 or not any(isinstance(module, _BatchNorm) for module in network.modules()):
        return
    row = {party: torch.empty(1, *shape, device="meta") for party, shape in data.shapes.items()}
    try:
        with torch.no_grad():
            copy.deepcopy(network).to("meta").train()(row)
    except ValueError as error:
        raise ValueError(
            f"{rows} rows in batches of {data.batch_size} leave one row to the smallest batch, and BatchNorm cannot train on "
            f"one ({error}). Say datamodule.drop_last=true, or another batch_size."
        ) from error
