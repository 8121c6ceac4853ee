"""How much crossed the wire."""

from __future__ import annotations

import pytorch_lightning as pl

from vertical_lightning.split.split_module import SplitModule


class Traffic(pl.Callback):
    """Logs `wire/bytes/<sender>-><receiver>` and `wire/bytes` once an epoch: training bytes since the run began."""

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Log the counters."""
        assert isinstance(pl_module, SplitModule)
        counted = {f"wire/bytes/{link}": float(count) for link, count in pl_module.wire.bytes.items()}
        pl_module.log_dict(counted | {"wire/bytes": float(pl_module.wire.bytes.total())})
