"""Releases the unscaled columns before training starts."""

from __future__ import annotations

import pytorch_lightning as pl

from vertical_lightning.data.datamodule import VerticalDataModule


class ReleaseColumns(pl.Callback):
    """Lets the data module forget its unscaled columns when training starts, after pictures of them were drawn."""

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Forget."""
        data = getattr(trainer, "datamodule", None)
        if isinstance(data, VerticalDataModule):
            data.release()
