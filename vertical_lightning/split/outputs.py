"""What a network says of tested rows."""

from __future__ import annotations

from typing import Any

import pytorch_lightning as pl
from torch import Tensor


class Outputs(pl.Callback):
    """Keeps the logits of all tested rows, batch by batch."""

    def __init__(self) -> None:
        self.logits: list[Tensor] = []

    def on_test_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Keep a batch's, where the label holder is."""
        if not outputs["logits"].is_meta:
            self.logits.append(outputs["logits"].cpu())
