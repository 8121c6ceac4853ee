"""Stops when a metric has not become better for some time."""

from __future__ import annotations

import pytorch_lightning as pl

from vertical_lightning.split.metric_direction import mode_of


class EarlyStopping(pl.callbacks.EarlyStopping):
    """Lightning's, with the direction that the metric's name says.

    Args:
        monitor: The metric.
        patience: Validations without a better one after which training stops.
        min_delta: The least difference that counts as better.
        mode: `min` or `max`; None for what the metric's name says.
    """

    def __init__(self, monitor: str, patience: int = 3, min_delta: float = 0.0, mode: str | None = None) -> None:
        super().__init__(monitor, min_delta, patience, mode=mode or mode_of(monitor))
