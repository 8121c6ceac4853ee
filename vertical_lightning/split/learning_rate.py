"""When a party's learning rate changes, and what a checkpoint makes of the settings that were asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from inspect import signature
from typing import Any, Literal

import pytorch_lightning as pl
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau

Interval = Literal["epoch", "step"]
LENGTHS = ("total_steps", "total_iters", "T_max")
"""What torch's schedules call their length; None stands for the whole run's."""


@dataclass(frozen=True)
class LearningRateSchedule:
    """A schedule, and when it steps.

    Args:
        factory: Builds it from an optimizer, such as `functools.partial(torch.optim.lr_scheduler.StepLR, step_size=5)`. A
            length of None (`total_steps`, `total_iters`, `T_max`) becomes that of the run.
        interval: Whether it steps at the end of every epoch, or after every batch.
        monitor: The metric that `ReduceLROnPlateau` waits for.

    Raises:
        ValueError: `interval` is neither, or a plateau is to be seen in no metric.
    """

    factory: Callable[..., LRScheduler]
    interval: Interval = "epoch"
    monitor: str | None = None

    def __post_init__(self) -> None:
        """Refuse what would never step."""
        if self.interval not in ("epoch", "step"):
            raise ValueError(f"scheduler.interval={self.interval} is neither epoch nor step.")
        if self.waits and (self.monitor is None or self.interval == "step"):
            raise ValueError("ReduceLROnPlateau needs scheduler.monitor, such as val/loss, and scheduler.interval=epoch.")

    @property
    def waits(self) -> bool:
        """Whether it steps by a metric."""
        return getattr(self.factory, "func", self.factory) is ReduceLROnPlateau

    def configure(self, optimizer: Optimizer, trainer: pl.Trainer | None) -> dict[str, Any]:
        """Build it, as Lightning wants to have it."""
        given = getattr(self.factory, "keywords", {})
        open_lengths = {name: self.length(trainer) for name in LENGTHS if name in given and given[name] is None}
        schedule = self.factory(optimizer, **open_lengths)
        if isinstance(schedule, ReduceLROnPlateau):
            schedule.monitor = self.monitor  # type: ignore[attr-defined]  # Lightning forgets it with manual optimization
        return {"scheduler": schedule, "interval": self.interval}

    def try_out(self, optimizer: Optimizer) -> None:
        """Step it a few times, so that torch can say what it thinks of the settings."""
        given = getattr(self.factory, "keywords", {})
        tried: Any = self.factory(optimizer, **{name: 10 for name in LENGTHS if name in given and given[name] is None})
        for number in range(2):
            optimizer.step()
            tried.step(*([float(number)] if self.waits else []))

    def length(self, trainer: pl.Trainer | None) -> int:
        """Return how many times it steps in the whole run."""
        number = None
        if trainer is not None:
            number = trainer.estimated_stepping_batches if self.interval == "step" else trainer.max_epochs
        if number is None or not 0 < number < float("inf"):
            raise ValueError("a schedule over the whole run needs to know its end: give trainer.max_epochs.")
        return int(number)


SchedulerFactory = Callable[[Optimizer], LRScheduler] | LearningRateSchedule


def configured(optimizer: Optimizer, choice: SchedulerFactory | None, trainer: pl.Trainer | None) -> dict[str, Any]:
    """Return an optimizer with its schedule, as Lightning wants to have it; a plain factory's steps once an epoch."""
    if choice is None:
        return {"optimizer": optimizer}
    schedule = choice if isinstance(choice, LearningRateSchedule) else LearningRateSchedule(choice)
    return {"optimizer": optimizer, "lr_scheduler": schedule.configure(optimizer, trainer)}


def step_schedules(trainer: pl.Trainer, interval: Interval, metrics: Mapping[str, Any]) -> None:
    """Step all schedules of an interval.

    Raises:
        ValueError: One waits for a metric that there is not.
    """
    for config in trainer.lr_scheduler_configs:
        schedule: Any = config.scheduler
        if config.interval != interval:
            continue
        if not isinstance(schedule, ReduceLROnPlateau):
            schedule.step()
        elif (monitor := getattr(schedule, "monitor", "")) in metrics:
            schedule.step(float(metrics[monitor]))
        else:
            raise ValueError(
                f"scheduler.monitor={monitor} is no metric of this run; its metrics are {', '.join(sorted(metrics))}."
            )


def settings(made: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings with which an optimizer and its schedule were made, by name, as they are now.

    Args:
        made: What Lightning's `configure_optimizers` returns for one optimizer.
    """
    optimizer, schedule = made["optimizer"], made.get("lr_scheduler", {}).get("scheduler")
    group = optimizer.param_groups[0]
    settings_of = {name: group[name] for name in optimizer.defaults if name in group}
    if schedule is not None:
        names = (set(signature(type(schedule)).parameters) & set(vars(schedule))) - {"optimizer", "last_epoch"}
        settings_of |= {"lr": group.get("initial_lr", settings_of.get("lr"))}
        settings_of |= {f"scheduler.{name}": getattr(schedule, name) for name in names}
    return {name: value for name, value in settings_of.items() if isinstance(value, int | float | str | tuple | list)}


def tell_overridden(trainer: pl.Trainer, asked: Mapping[str, Mapping[str, Any]]) -> None:
    """Print what a checkpoint has put in the place of the parties' settings.

    Args:
        trainer: With optimizers and schedules as they are after a checkpoint was loaded.
        asked: By party, in the order of the optimizers, the settings with which they were made.
    """
    schedules = {id(config.scheduler.optimizer): {"scheduler": config.scheduler} for config in trainer.lr_scheduler_configs}
    for (party, wanted), optimizer in zip(asked.items(), trainer.optimizers, strict=False):
        actual = settings({"optimizer": optimizer, "lr_scheduler": schedules.get(id(optimizer), {})})
        for told in overridden(party, wanted, actual):
            print(told, flush=True)


def overridden(party: str, asked: Mapping[str, Any], actual: Mapping[str, Any]) -> Iterable[str]:
    """Say what a checkpoint has put in the place of a party's settings.

    >>> list(overridden("alice", {"lr": 0.1, "momentum": 0.9}, {"lr": 0.01, "momentum": 0.9}))
    ["alice's lr is 0.01, as in the checkpoint, not 0.1"]
    """
    for name, value in asked.items():
        if name in actual and actual[name] != value:
            yield f"{party}'s {name} is {actual[name]}, as in the checkpoint, not {value}"
