"""The picture that the method is explained with: rows side by side before and after alignment."""

from __future__ import annotations

import pytorch_lightning as pl
from matplotlib.figure import Figure
from pytorch_lightning.loggers import TensorBoardLogger
from torch import Tensor

from vertical_lightning.data.datamodule import VerticalDataModule
from vertical_lightning.schema import PartyTable

COLUMNS = 5


class AlignmentPictures(pl.Callback):
    """Draws ten images with the label that the label holder has in the same row, before and after alignment.

    The images `alignment/before` and `alignment/after` go to TensorBoard when training starts. Tables without images, and a
    label holder without another party, have no picture.

    Args:
        rows: How many rows to draw.
    """

    def __init__(self, rows: int = 10) -> None:
        self.rows = rows

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Draw and log."""
        data = getattr(trainer, "datamodule", None)
        loggers = [logger for logger in trainer.loggers if isinstance(logger, TensorBoardLogger)]
        if not loggers or not isinstance(data, VerticalDataModule):
            return
        name = next(iter(data.tables))
        if len(data.tables[name]) == 1:
            return
        for moment, tables in (("before", data.tables[name]), ("after", data.aligned(name, slice(self.rows)))):
            if pieces := images(tables):
                figure = draw(pieces, labels(tables, data), self.rows)
                for logger in loggers:
                    logger.experiment.add_figure(f"alignment/{moment}", figure)


def images(tables: dict[str, PartyTable]) -> dict[str, Tensor]:
    """Return the parties' image pieces `[rows, channels, height, width]`, uint8."""
    held = {party: table.features for party, table in tables.items()}
    return {party: block for party, block in held.items() if isinstance(block, Tensor) and block.ndim == 4}


def labels(tables: dict[str, PartyTable], data: VerticalDataModule) -> list[str]:
    """Return the label holder's class names in row order."""
    held = tables[data.label_holder].labels
    assert held is not None
    return [str(data.classes[number]) for number in held.tolist()]


def draw(pieces: dict[str, Tensor], names: list[str], rows: int) -> Figure:
    """Draw the first rows, five beside one another: the parties' pieces in a pile, the label at the same row number on top."""
    rows = min(rows, len(names), *map(len, pieces.values()))
    blocks = -(-rows // COLUMNS)
    figure = Figure(figsize=(COLUMNS, 1.35 * blocks * len(pieces)), layout="constrained")
    axes = figure.subplots(blocks * len(pieces), COLUMNS, squeeze=False)
    for axis in axes.flat:
        axis.set_axis_off()
    for row in range(rows):
        for level, (party, block) in enumerate(pieces.items()):
            axis = axes[row // COLUMNS * len(pieces) + level, row % COLUMNS]
            axis.imshow(block[row].permute(1, 2, 0).squeeze(-1).numpy(), cmap="gray", vmin=0, vmax=255)
            axis.set_title(f"label {names[row]}" if level == 0 else "", fontsize=11)
            if row % COLUMNS == 0:
                axis.text(-0.15, 0.5, party, rotation=90, ha="right", va="center", transform=axis.transAxes)
    return figure
