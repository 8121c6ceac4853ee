"""Where there are two classes: precision and recall at every threshold."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter

from vertical_lightning.callbacks.final_rows import FinalRows
from vertical_lightning.data.datamodule import VerticalDataModule
from vertical_lightning.schema import VerticalBatch
from vertical_lightning.split.split_module import SplitModule


class PrecisionRecall(FinalRows):
    """Logs the curve `test/precision_recall` (`val/…` without test rows) of class 1 where there are two classes."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Forget all rows."""
        self.labels: list[Tensor] = []
        self.scores: list[Tensor] = []

    def look(self, logits: Tensor, batch: VerticalBatch, module: SplitModule) -> None:
        """Keep each row's label and probability of class 1."""
        if logits.shape[1] == 2 and batch.labels.ndim == 1:  # two labels are no two classes
            self.labels.append(batch.labels)
            self.scores.append(logits.float().softmax(dim=1)[:, 1])

    def show(self, phase: str, data: VerticalDataModule, writer: SummaryWriter, step: int) -> None:
        """Log the curve."""
        if self.labels:
            writer.add_pr_curve(f"{phase}/precision_recall", torch.cat(self.labels), torch.cat(self.scores), step)
