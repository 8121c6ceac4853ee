"""How do the embeddings lie, label by label? On request."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import torch
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter

from vertical_lightning.callbacks.final_rows import FinalRows
from vertical_lightning.callbacks.named import named
from vertical_lightning.data.datamodule import VerticalDataModule
from vertical_lightning.schema import VerticalBatch
from vertical_lightning.split.split_module import SplitModule


class Projector(FinalRows):
    """Writes what crossed on every hop, labeled, for TensorBoard's projector: `embedding/<sender>-><receiver>`.

    The rows are the first test rows (validation rows where there are none). An embedding of more than one dimension, such as
    feature maps, is flattened.

    Args:
        rows: How many rows to write at most; the projector grows slow with more.
    """

    def __init__(self, rows: int = 2000) -> None:
        self.rows = rows
        self.begin()

    def begin(self) -> None:
        """Forget all rows."""
        self.labels: list[Any] = []
        self.embeddings: defaultdict[str, list[Tensor]] = defaultdict(list)

    def look(self, logits: Tensor, batch: VerticalBatch, module: SplitModule) -> None:
        """Keep a batch's embeddings and labels until there are enough rows."""
        left = self.rows - len(self.labels)
        self.labels += batch.labels[:left].tolist()
        for hop in module.evaluation_wire.hops if left else ():
            if hop.embedding is not None:
                self.embeddings[hop.link].append(hop.embedding[:left].flatten(1).float().cpu())

    def show(self, phase: str, data: VerticalDataModule, writer: SummaryWriter, step: int) -> None:
        """Write one table of numbers a hop."""
        names = named(self.labels, data.classes)
        for link, blocks in self.embeddings.items():
            writer.add_embedding(torch.cat(blocks), names, global_step=step, tag=f"embedding/{link}")
