"""Which images does the network get wrong?"""

from __future__ import annotations

from collections import defaultdict

import torch
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter

from vertical_lightning.callbacks.final_rows import FinalRows
from vertical_lightning.callbacks.piece_grid import draw, images
from vertical_lightning.data.datamodule import VerticalDataModule
from vertical_lightning.schema import VerticalBatch
from vertical_lightning.split.split_module import SplitModule


class Mistakes(FinalRows):
    """Draws `test/mistakes` (`val/…` without test rows): the first wrongly classified rows, with each party's piece.

    Tables without images, and labels that are numbers, have no picture.

    Args:
        rows: How many rows to draw.
    """

    def __init__(self, rows: int = 15) -> None:
        self.rows = rows
        self.begin()

    def begin(self) -> None:
        """Forget all rows."""
        self.pairs: list[tuple[int, int]] = []
        self.pieces: defaultdict[str, list[Tensor]] = defaultdict(list)

    def look(self, logits: Tensor, batch: VerticalBatch, module: SplitModule) -> None:
        """Keep wrong rows until there are enough."""
        pieces = images(batch.features)
        if not pieces or len(self.pairs) >= self.rows or batch.labels.is_floating_point():
            return
        predicted = logits.argmax(dim=1)
        wrong = torch.nonzero(predicted != batch.labels).flatten()[: self.rows - len(self.pairs)]
        self.pairs += zip(batch.labels[wrong].tolist(), predicted[wrong].tolist(), strict=True)
        for party, block in pieces.items():
            self.pieces[party].append(block[wrong])

    def show(self, phase: str, data: VerticalDataModule, writer: SummaryWriter, step: int) -> None:
        """Draw and log."""
        if self.pairs:
            titles = [f"true {data.classes[true]}\npredicted {data.classes[predicted]}" for true, predicted in self.pairs]
            pieces = {party: torch.cat(blocks) for party, blocks in self.pieces.items()}
            writer.add_figure(f"{phase}/mistakes", draw(pieces, titles, *data.image_range), step)
