"""Which classes does the network take for which?"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from matplotlib.figure import Figure
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter

from vertical_lightning.callbacks.final_rows import FinalRows
from vertical_lightning.data.datamodule import VerticalDataModule
from vertical_lightning.schema import VerticalBatch
from vertical_lightning.split.split_module import SplitModule

LEGIBLE = 20
"""Classes; of more, neither numbers nor names can be read."""


class ConfusionMatrix(FinalRows):
    """Draws `test/confusion_matrix` (`val/…` without test rows): how many rows of each true class got each predicted one.

    Color is the share of the true class, so that rare classes show as well as frequent ones. Labels that are numbers have no
    picture.
    """

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Forget all rows."""
        self.true: list[Tensor] = []
        self.predicted: list[Tensor] = []

    def look(self, logits: Tensor, batch: VerticalBatch, module: SplitModule) -> None:
        """Keep what each row is, and what it was taken for; a number is taken for no class."""
        if batch.labels.is_floating_point():
            return
        self.true.append(batch.labels)
        self.predicted.append(logits.argmax(dim=1))

    def show(self, phase: str, data: VerticalDataModule, writer: SummaryWriter, step: int) -> None:
        """Draw and log."""
        if self.true:
            counts = count(torch.cat(self.true), torch.cat(self.predicted), len(data.classes))
            writer.add_figure(f"{phase}/confusion_matrix", draw(counts, list(map(str, data.classes)), phase), step)


def count(true: Tensor, predicted: Tensor, classes: int) -> Tensor:
    """Return how many rows of each true class (down) got each predicted class (across).

    >>> count(torch.tensor([0, 0, 1]), torch.tensor([0, 1, 1]), 2)
    tensor([[1, 1],
            [0, 1]])
    """
    return torch.bincount(true * classes + predicted, minlength=classes**2).reshape(classes, classes).cpu()


def draw(counts: Tensor, classes: Sequence[str], phase: str) -> Figure:
    """Draw the counts, with numbers and class names where they can be read."""
    side = 3.0 + 0.4 * min(len(classes), LEGIBLE)  # inches
    figure = Figure(figsize=(side, side), layout="constrained")
    axis = figure.subplots()
    shares = counts / counts.sum(dim=1, keepdim=True).clamp(min=1)
    axis.imshow(shares.numpy(), cmap="Blues", vmin=0, vmax=1)
    axis.set(xlabel="predicted", ylabel="true")
    figure.suptitle(f"{int(counts.trace()):,} of {int(counts.sum()):,} {phase} rows are right", fontsize=11)
    if len(classes) > LEGIBLE:
        return figure
    axis.set_xticks(range(len(classes)), classes, rotation=90 if max(map(len, classes)) > 3 else 0)
    axis.set_yticks(range(len(classes)), classes)
    for (row, column), number in zip(torch.cartesian_prod(*2 * [torch.arange(len(classes))]), counts.flatten(), strict=True):
        if number:
            color = "white" if shares[row, column] > 0.5 else "black"
            axis.text(int(column), int(row), f"{int(number)}", ha="center", va="center", color=color, fontsize=9)
    return figure
