"""Which step of a run counts: the last, or the best by a metric."""

from __future__ import annotations

from pathlib import Path

from omegaconf import DictConfig

BEST = "best.ckpt"
"""A link in the folder of checkpoints."""


def best_of(config: DictConfig) -> Path | None:
    """Say where the best checkpoint will be, if that is the one to test; None for the last step.

    Raises:
        ValueError: `test` is neither best nor last, or best without a metric to know it by.
    """
    watching = [one for one in (config.get("callbacks") or {}).values() if one and one.get("monitor") is not None]
    savers = [one for one in watching if "dirpath" in one]
    if config.test not in (None, "best", "last"):
        raise ValueError(f"test={config.test} is neither best nor last; null is best where a metric is monitored.")
    if config.test == "best" and not savers:
        raise ValueError(
            "test=best needs a metric: callbacks.checkpoint.monitor=val/loss, or callbacks=[default,early_stopping]."
        )
    return Path(savers[0].dirpath, BEST) if savers and config.test != "last" else None
