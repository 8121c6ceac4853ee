"""How much of a party's input still shows in what it sends?"""

from __future__ import annotations

from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor

from vertical_lightning.schema import VerticalBatch
from vertical_lightning.split.distance_correlation import distance_correlation
from vertical_lightning.split.split_module import SplitModule


class Leakage(pl.Callback):
    """Logs `leakage/<party>` after a test: the distance correlation of a feature party's input with its embedding.

    0 says that an embedding tells nothing about the input, 1 that it is the input, turned and scaled (Vepakomma et al. 2020,
    "NoPeek"). A first look, not a guarantee: an attack may find what this number does not show.

    Args:
        rows: How many test rows to measure on; time and memory grow with the square.
    """

    def __init__(self, rows: int = 512) -> None:
        self.rows = rows
        self.seen: dict[str, list[tuple[Tensor, Tensor]]] = {}

    def on_test_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Forget an earlier test."""
        self.seen = {}

    def on_test_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: VerticalBatch,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Keep the first rows of what each feature party put in and sent."""
        assert isinstance(pl_module, SplitModule)
        for hop in pl_module.evaluation_wire.hops:
            pairs = self.seen.setdefault(hop.sender, [])
            missing = self.rows - sum(len(sent) for _, sent in pairs)
            given = batch.features.get(hop.sender) if hop.depth == 1 else None
            # Whoever has both the input and the embedding can compare: the party itself, or who simulates it.
            if given is not None and not given.is_meta and hop.embedding is not None and missing > 0:
                pairs.append((given[:missing], hop.embedding[:missing]))

    def on_test_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Compare, and log."""
        for party, pairs in self.seen.items():
            if pairs:
                given, sent = (torch.cat(column) for column in zip(*pairs, strict=True))
                pl_module.log(f"leakage/{party}", distance_correlation(given, sent.float()))
