"""Lets loops train a few batches each, in turns: on a machine whose speed changes, only neighbors in time can be compared."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import pytorch_lightning as pl
import torch

from vertical_lightning.run.skip_empty_hooks import skip_empty_hooks

Name = TypeVar("Name")
Loop = Callable[[int], float]
"""Trains so many batches and returns the seconds they took."""


def now(device: torch.device) -> float:
    """Read the clock when the device has done all that it was told to."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()


def clocked(train: Callable[[int], None], device: torch.device) -> Loop:
    """Run a plain loop in a thread of its own, as a `Fit` is: a thread has its own memory pools."""
    thread = ThreadPoolExecutor(1)

    def loop(batches: int) -> float:
        began = now(device)
        train(batches)
        return now(device) - began

    return lambda batches: thread.submit(loop, batches).result()


class Fit(pl.Callback):
    """A Trainer's run in a thread of its own, which trains when it is asked to and waits meanwhile.

    A batch takes the time from its start to the start of the next one.

    Args:
        trainer: The trainer; without limits of its own.
        between_epochs: Whether what Lightning does between two epochs counts; it belongs to no batch.
        fit: What `trainer.fit` is given.
    """

    def __init__(self, trainer: pl.Trainer, between_epochs: bool = False, **fit: Any) -> None:
        self.between_epochs = between_epochs
        self.asked, self.answered = threading.Semaphore(0), threading.Semaphore(0)
        self.left, self.seconds, self.began = 0, 0.0, 0.0
        self.device = trainer.strategy.root_device
        self.error: BaseException | None = None
        trainer.callbacks.insert(0, self)  # type: ignore[attr-defined]
        skip_empty_hooks([self])  # the clock's own cost is nobody's
        self.thread = threading.Thread(target=self.run, args=(trainer, fit), daemon=True)
        self.thread.start()

    def run(self, trainer: pl.Trainer, fit: Mapping[str, Any]) -> None:
        try:
            self.asked.acquire()
            trainer.fit(**fit)
        except BaseException as error:
            self.error = error
        self.answered.release()

    def __call__(self, batches: int) -> float:
        self.left, self.seconds = batches, 0.0
        self.asked.release()
        self.answered.acquire()
        if self.error:
            raise self.error
        return self.seconds

    def end(self) -> None:
        """Let the run end."""
        self.left = -1
        self.asked.release()
        self.thread.join()

    def on_train_batch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int) -> None:
        """Count the batch that has ended; wait if it was the last one asked for."""
        if self.began and (batch_idx or self.between_epochs):
            self.left -= 1
            self.seconds += (time.perf_counter() if self.left else now(self.device)) - self.began
        if self.left == 0:
            self.answered.release()
            self.asked.acquire()
        if self.left < 0:
            trainer.should_stop = True
        self.began = time.perf_counter()


def take_turns(loops: Mapping[Name, Callable[[], float]], turns: int) -> dict[Name, list[float]]:
    """Return what each loop returns, turn by turn; the first turn is not counted."""
    taken: dict[Name, list[float]] = {name: [] for name in loops}
    for _ in range(turns + 1):
        for name, loop in loops.items():
            taken[name].append(loop())
    return {name: spent[1:] for name, spent in taken.items()}
