"""Which steps of a run are kept, and which one counts: the last, or the best by a metric."""

from __future__ import annotations

from pathlib import Path

from omegaconf import DictConfig

from vertical_lightning.split.checkpoint_names import BEST


def best_of(config: DictConfig) -> Path | None:
    """Say where the best checkpoint will be, if that is the one to test; None for the last step.

    Raises:
        ValueError: `test` is neither best nor last, or best without a metric to know it by.
    """
    watching = [node for node in (config.get("callbacks") or {}).values() if node and node.get("monitor") is not None]
    savers = [node for node in watching if "dirpath" in node]
    if config.test not in (None, "best", "last"):
        raise ValueError(f"test={config.test} is neither best nor last; null is best where a metric is monitored.")
    if config.test == "best" and not savers:
        raise ValueError(
            "test=best needs a metric: callbacks.checkpoint.monitor=val/loss, or callbacks=[default,early_stopping]."
        )
    return Path(savers[0].dirpath, BEST) if savers and config.test != "last" else None


def kept(config: DictConfig, in_sweep: bool) -> str:
    """Say what a run keeps: `none`, `last`, or the `best` too.

    Jobs of a sweep keep none unless they are told to, or watch a metric: 60 jobs of a ResNet would fill gigabytes.

    Args:
        config: The run's.
        in_sweep: Whether others run like it.

    Raises:
        ValueError: `checkpoint` is none of the three, or none where the best is to be tested.
    """
    watches = best_of(config) is not None
    if config.checkpoint not in (None, "none", "last", "best"):
        raise ValueError(f"checkpoint={config.checkpoint} is none of none, last and best; null is last, and none in a sweep.")
    if config.checkpoint == "none" and watches:
        raise ValueError("checkpoint=none keeps no best epoch to test: say test=last, or monitor no metric.")
    if config.checkpoint == "best" and not watches:
        raise ValueError("checkpoint=best needs a metric: callbacks.checkpoint.monitor=val/loss, and not test=last.")
    return config.checkpoint or ("none" if in_sweep and not watches else "last")


def megabytes_of(folder: Path) -> float:
    """Add up a run's checkpoints, in 10⁶ bytes; links are not counted."""
    files = (file for file in folder.rglob("*.ckpt/*.ckpt") if not file.parent.is_symlink())
    return sum(file.stat().st_size for file in files) / 1e6
