"""When the parties exchange and when they step: the seam of communication schedules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Protocol, runtime_checkable

from torch import Tensor

from vertical_lightning.schema import VerticalBatch

if TYPE_CHECKING:
    from vertical_lightning.split.split_module import SplitModule


@runtime_checkable
class Schedule(Protocol):
    """Trains on one batch, made of two moves of a `SplitModule`.

    `module.exchange(batch, batch_idx)` is one round over the wire after which every party steps; `module.local(batch)` is a
    step of every party against what the last round brought, without anything crossing. However many there are, a batch is one
    step of the run: schedules of learning rates, `max_steps` and `global_step` count batches.

    Attributes:
        neutral: Arguments with which it is one exchange a batch.
    """

    neutral: ClassVar[Mapping[str, object]]

    def step(self, module: SplitModule, batch: VerticalBatch, batch_idx: int) -> tuple[Tensor, Tensor]:
        """Train, and return the loss and the logits `[batch, outputs]` of the first exchange, which metrics are made of."""

    def check(self, module: SplitModule) -> None:
        """Refuse a module that this schedule would train wrongly.

        Raises:
            ValueError: Says what does not go together.
        """


class Synchronous:
    """One exchange a batch: gradients are those of the uncut network (Vepakomma et al. 2018)."""

    neutral: ClassVar[Mapping[str, object]] = {}

    def step(self, module: SplitModule, batch: VerticalBatch, batch_idx: int) -> tuple[Tensor, Tensor]:
        """Exchange once."""
        return module.exchange(batch, batch_idx)

    def check(self, module: SplitModule) -> None:
        """Any will do."""
