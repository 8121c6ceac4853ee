"""Several local steps for each exchange."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from torch import Tensor

from vertical_lightning.schema import VerticalBatch
from vertical_lightning.split.split_module import SplitModule


class FedBcd:
    """After each exchange every party steps again on the same batch, against the embeddings and gradients that it brought.

    FedBCD-p (Liu et al. 2022, "FedBCD: a communication-efficient collaborative learning framework for distributed features"):
    what crosses for one step serves `local_steps` steps; the stale hops make them approximate. A batch crosses once whatever
    `local_steps` is, so bytes are saved where fewer batches are needed.

    Args:
        local_steps: Steps of each party for one exchange, the exchange's own among them, from 1; 1 is synchronous.

    Raises:
        ValueError: `local_steps` is no integer from 1.
    """

    neutral: ClassVar[Mapping[str, object]] = {"local_steps": 1}

    def __init__(self, local_steps: int = 5) -> None:
        if isinstance(local_steps, bool) or not isinstance(local_steps, int) or local_steps < 1:
            raise ValueError(f"schedule.local_steps={local_steps} is not allowed: give an integer from 1; 1 is synchronous.")
        self.local_steps = local_steps

    def step(self, module: SplitModule, batch: VerticalBatch, batch_idx: int) -> tuple[Tensor, Tensor]:
        """Exchange, and go on with what that brought."""
        loss, logits = module.exchange(batch, batch_idx)
        for _ in range(self.local_steps - 1):
            module.local(batch)
        return loss, logits

    def check(self, module: SplitModule) -> None:
        """Refuse accumulation, whose sums local steps would clear."""
        if self.local_steps > 1 and any(batches > 1 for batches in module.stepping.accumulation.batches.values()):
            raise ValueError(
                "schedule=fedbcd steps several times a batch, and accumulate once for several; choose one of them."
            )
