"""The picture that the method is explained with: rows side by side before and after alignment."""

from __future__ import annotations

import fcntl
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytorch_lightning as pl
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter

from vertical_lightning.callbacks.named import named
from vertical_lightning.callbacks.piece_grid import draw, images
from vertical_lightning.data.datamodule import VerticalDataModule
from vertical_lightning.schema import PartyTable
from vertical_lightning.split.loggers import tensorboards


class Shown(NamedTuple):
    """What a picture shows: each party's pieces, and a title for each row."""

    pieces: Mapping[str, Tensor]
    titles: list[str]


class AlignmentPictures(pl.Callback):
    """Draws ten images with the label that the label holder has in the same row, before and after alignment.

    The images `alignment/before` and `alignment/after` go to TensorBoard when training starts. Tables without images, and a
    label holder without another party, have no picture. A sweep has each picture once, in the run `alignment/<job>` that is
    named by the job which came first.

    Args:
        rows: How many rows to draw.
        sweep: The folder of the sweep; None for a single run.
    """

    def __init__(self, rows: int = 10, sweep: str | None = None) -> None:
        self.rows, self.sweep = rows, sweep

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Draw and log."""
        data = getattr(trainer, "datamodule", None)
        loggers = tensorboards(trainer)
        if not loggers or not isinstance(data, VerticalDataModule):
            return
        if pictures := self.shown(data):
            if self.sweep is not None:
                log_once(pictures, Path(self.sweep, "alignment"), Path(loggers[0].log_dir).name)
                return
            for logger in loggers:
                log(pictures, logger.experiment)

    def shown(self, data: VerticalDataModule) -> dict[str, Shown]:
        """Return what is to be drawn, by moment."""
        name = next(iter(data.tables), "")
        if len(data.tables.get(name, ())) < 2:  # nobody else is here
            return {}
        shown = {}
        for moment, tables in (("before", data.tables[name]), ("after", data.aligned(name, slice(self.rows)))):
            if pieces := images({party: table.features for party, table in tables.items()}):
                rows = min(self.rows, *map(len, tables.values()))
                titles = labels(tables, data)[:rows]
                shown[moment] = Shown({party: block[:rows].cpu() for party, block in pieces.items()}, titles)
        return shown


def log(pictures: Mapping[str, Shown], writer: SummaryWriter) -> None:
    """Draw."""
    for moment, shown in pictures.items():
        writer.add_figure(f"alignment/{moment}", draw(shown.pieces, shown.titles, black=0, white=255))


def log_once(pictures: Mapping[str, Shown], folder: Path, job: str) -> None:
    """Draw in a run of its own, unless another job has drawn the same there."""
    folder.mkdir(exist_ok=True)
    with (folder / ".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # jobs of a parallel launcher wait for who came first
        if any(folder.glob(f"*/{fingerprint(pictures)}")):
            return
        with SummaryWriter(str(folder / job)) as writer:
            log(pictures, writer)
        Path(folder, job, fingerprint(pictures)).touch()  # last: who was killed has drawn nothing


def fingerprint(pictures: Mapping[str, Shown]) -> str:
    """Name what pictures show."""
    seen = hashlib.sha256()
    for moment, shown in pictures.items():
        seen.update(repr((moment, shown.titles)).encode())
        for party, block in shown.pieces.items():
            seen.update(repr((party, block.shape, block.dtype)).encode() + block.numpy().tobytes())
    return seen.hexdigest()


def labels(tables: Mapping[str, PartyTable], data: VerticalDataModule) -> list[str]:
    """Return the label holder's labels in row order."""
    held = tables[data.label_holder].labels
    assert held is not None
    return [f"label {name}" for name in named(held.tolist(), data.classes)]
