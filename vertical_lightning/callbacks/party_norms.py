"""Are all parties learning? The gradient norm of every party and the embedding norm of every hop."""

from __future__ import annotations

import pytorch_lightning as pl
import torch
from torch.optim import Optimizer

from vertical_lightning.split.split_module import SplitModule
from vertical_lightning.split.step_logging import log_step


class PartyNorms(pl.Callback):
    """Logs `gradient_norm/<party>` (L2, before clipping) and `embedding_norm/<sender>-><receiver>` (mean L2 per row).

    A party whose gradient norm stays at zero does not learn, however well the network as a whole trains.
    """

    def on_before_optimizer_step(self, trainer: pl.Trainer, pl_module: pl.LightningModule, optimizer: Optimizer) -> None:
        """Log while gradients are whole: after backward, before clipping and stepping."""
        assert isinstance(pl_module, SplitModule)
        if not pl_module.logs_now:
            return
        norms = {}
        for party in pl_module.trained:
            gradients = [weight.grad for weight in pl_module.network.own(party).parameters() if weight.grad is not None]
            norms[f"gradient_norm/{party}"] = torch.nn.utils.get_total_norm(gradients)
        with torch.no_grad():
            for hop in pl_module.wire.hops:
                if hop.embedding is not None:
                    norms[f"embedding_norm/{hop.link}"] = hop.embedding.flatten(1).float().norm(dim=1).mean()
        log_step(trainer, norms)
