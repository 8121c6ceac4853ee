"""The metrics that somebody asks for by name, to sweep for or to monitor; all are checked before anything runs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from omegaconf import DictConfig

from vertical_lightning.split.metric_direction import less_is_better

PHASES = ("train", "val", "test")
SCORES = {
    "classes": ("loss", "accuracy", "auroc"),
    "labels": ("loss", "accuracy", "exact_match", "auroc"),
    "numbers": ("loss", "rmse", "mae", "r2"),
}
"""What a phase measures, by what is predicted; the area under the ROC curve of two classes only."""

OTHERS = ("wire", "psi", "time", "leakage", "lr", "gradient_norm", "embedding_norm", "attack")
"""What all other metrics' names begin with."""

DEFAULT = ("val/accuracy", "val/rmse")
"""What a sweep is about unless it says so: what is measured on validation rows, so that no choice is made on test rows."""


def objectives(config: DictConfig) -> list[str]:
    """Return the metrics that a sweep is about; empty where the kind of labels decides."""
    asked = config.objective
    return [asked] if isinstance(asked, str) else list(asked or [])


def shown(config: DictConfig) -> list[str]:
    """Return the metrics that a sweep's report shows besides those that it always does."""
    asked = config.get("report")
    return [asked] if isinstance(asked, str) else list(asked or [])


def values(config: DictConfig, metrics: Mapping[str, float], search: bool) -> float | tuple[float | None, ...] | None:
    """Return a job's values of what a sweep is about; None for a job without metrics.

    Args:
        config: The job's configuration.
        metrics: Its metrics; empty if it was skipped or failed.
        search: Whether the next jobs depend on the answer; it must be a number then, and the worst if there is none.
    """
    names = objectives(config) or [name for name in DEFAULT if name in metrics][:1] or [DEFAULT[0]]
    measured = [metrics.get(name) for name in names]
    if search:
        worst = [math.inf if less_is_better(name) else -math.inf for name in names]
        measured = [no if number is None or math.isnan(number) else number for number, no in zip(measured, worst, strict=True)]
    return tuple(measured) if len(names) > 1 else measured[0]


def asked_for(config: DictConfig) -> Iterator[tuple[str, str]]:
    """Yield (setting, metric) of every metric that a configuration names."""
    for name in objectives(config):
        yield "objective", name
    for name in shown(config):
        yield "report", name
    for name, node in (config.get("callbacks") or {}).items():
        if node and node.get("monitor") is not None:
            yield f"callbacks.{name}.monitor", str(node.monitor)
    if config.scheduler.get("monitor") is not None:
        yield "scheduler.monitor", str(config.scheduler.monitor)


def check_names(config: DictConfig, kinds: Sequence[str] = tuple(SCORES), phases: Sequence[str] = PHASES) -> None:
    """Refuse metrics that no run has; with the kind of labels known, those that this one will not have.

    Args:
        config: Names metrics.
        kinds: What may be predicted: classes, numbers or both.
        phases: Those that there are rows for.

    Raises:
        ValueError: Says which metrics there are.
    """
    scores = dict.fromkeys([*(score for kind in kinds for score in SCORES[kind]), *map(str, config.get("metrics") or {})])
    known = [f"{phase}/{score}" for phase in phases for score in scores]
    for setting, name in asked_for(config):
        if name.removesuffix("_step") not in known and name.split("/")[0] not in OTHERS:
            rows = "; there are no validation rows (datamodule.val_fraction)" if "val" not in phases else ""
            raise ValueError(
                f"{setting}={name} is no metric of this run; there are {', '.join(known)}, and those of wire/{rows}."
            )


def check_metrics(config: DictConfig, data: Any) -> None:
    """Refuse metrics that a run on this data will not have; only the label holder's process knows.

    Args:
        config: Names metrics.
        data: The loaded data module.
    """
    if data.label_holder in next(iter(data.tables.values()), {}):
        phases = [phase for phase in PHASES if phase != "val" or data.division.val or data.division.folds]
        labels = next(iter(data.tables.values()))[data.label_holder].labels
        several = labels is not None and labels.ndim == 2
        check_names(config, ["labels" if several else "classes" if data.classes else "numbers"], phases)
