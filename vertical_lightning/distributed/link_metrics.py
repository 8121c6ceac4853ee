"""What a party's connections carried, and where its time went."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

import pytorch_lightning as pl

from vertical_lightning.distributed.session import Session
from vertical_lightning.distributed.transport.frame import Kind


class LinkMetrics(pl.Callback):
    """Logs once an epoch, for this party's own links, what its connections counted.

    `wire/measured/<sender>-><receiver>` are bytes of tensors since the run began, in training and evaluation,
    `wire/framed/<sender>-><receiver>` the same with frames' headers. `time/step`, of which `time/wait` waited for another party
    and `time/transfer` handed over frames, are mean seconds of the epoch's training steps; the rest is `time/compute`.

    Args:
        session: Whose connections to look at.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self.spent: Counter[str] = Counter()
        self.began: dict[str, float] = {}

    def now(self) -> dict[str, float]:
        """Read the clocks."""
        peers = self.session.peers.values()
        return {
            "step": time.perf_counter(),
            "wait": sum(peer.waited for peer in peers),
            "transfer": sum(peer.moved for peer in peers),
        }

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Begin."""
        self.spent.clear()

    def on_train_batch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int) -> None:
        """Start the clocks."""
        self.began = self.now()

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Stop the clocks."""
        self.spent.update({name: value - self.began[name] for name, value in self.now().items()})
        self.spent["steps"] += 1

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Log."""
        steps = max(1, self.spent["steps"])
        step, wait, transfer = (self.spent[name] / steps for name in ("step", "wait", "transfer"))
        times = {"step": step, "wait": wait, "transfer": transfer, "compute": step - wait - transfer}
        pl_module.log_dict({f"time/{name}": value for name, value in times.items()} | self.carried())

    def carried(self) -> dict[str, float]:
        """Return the bytes of each link."""
        metrics = {}
        for name, peer in self.session.peers.items():
            links = {"sent": f"{self.session.party}->{name}", "received": f"{name}->{self.session.party}"}
            for direction, link in links.items():
                if peer.payload[direction, Kind.TENSOR]:
                    metrics[f"wire/measured/{link}"] = float(peer.payload[direction, Kind.TENSOR])
                    metrics[f"wire/framed/{link}"] = float(peer.framed[direction, Kind.TENSOR])
        return metrics
