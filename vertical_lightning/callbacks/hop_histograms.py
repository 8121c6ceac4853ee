"""How are embeddings and returned gradients distributed? On request."""

from __future__ import annotations

import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.optim import Optimizer

from vertical_lightning.split.loggers import tensorboards
from vertical_lightning.split.split_module import SplitModule


class HopHistograms(pl.Callback):
    """Logs histograms of what crossed every `log_every_n_steps` batches.

    `embedding/<sender>-><receiver>` went forward, `gradient/<receiver>-><sender>` came back. Numbers that are not finite
    have no place in a histogram and are left out.
    """

    def on_before_optimizer_step(self, trainer: pl.Trainer, pl_module: pl.LightningModule, optimizer: Optimizer) -> None:
        """Log what crossed for this batch."""
        assert isinstance(pl_module, SplitModule)
        if not pl_module.logs_now:
            return
        crossed: dict[str, Tensor] = {}
        for hop in pl_module.wire.hops:
            crossed |= {f"embedding/{hop.link}": hop.embedding} if hop.embedding is not None else {}
            crossed |= {f"gradient/{hop.back}": hop.gradient} if hop.gradient is not None else {}
        for logger in tensorboards(trainer):
            with torch.no_grad():
                for tag, tensor in crossed.items():
                    if len(finite := tensor[tensor.isfinite()]):
                        logger.experiment.add_histogram(tag, finite.float(), trainer.global_step)
