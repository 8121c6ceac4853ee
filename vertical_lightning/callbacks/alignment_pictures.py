"""The picture that the method is explained with: rows side by side before and after alignment."""

from __future__ import annotations

from collections.abc import Mapping

import pytorch_lightning as pl

from vertical_lightning.callbacks.named import named
from vertical_lightning.callbacks.piece_grid import draw, images
from vertical_lightning.data.datamodule import VerticalDataModule
from vertical_lightning.schema import PartyTable
from vertical_lightning.tensorboards import tensorboards


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
        loggers = tensorboards(trainer)
        if not loggers or not isinstance(data, VerticalDataModule):
            return
        name = next(iter(data.tables), "")
        if len(data.tables.get(name, ())) < 2:  # nobody else is here
            return
        for moment, tables in (("before", data.tables[name]), ("after", data.aligned(name, slice(self.rows)))):
            if pieces := images({party: table.features for party, table in tables.items()}):
                rows = min(self.rows, *map(len, tables.values()))
                figure = draw(pieces, labels(tables, data)[:rows], black=0, white=255)
                for logger in loggers:
                    logger.experiment.add_figure(f"alignment/{moment}", figure)


def labels(tables: Mapping[str, PartyTable], data: VerticalDataModule) -> list[str]:
    """Return the label holder's labels in row order."""
    held = tables[data.label_holder].labels
    assert held is not None
    return [f"label {name}" for name in named(held.tolist(), data.classes)]
