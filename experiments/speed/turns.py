"""Lets loops train a few batches each, in turns: on a machine whose speed changes, only neighbors in time can be compared."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytorch_lightning as pl

from vertical_lightning.empty_hooks import pass_over

Loop = Callable[[int], float]
"""Trains so many batches and returns the seconds they took."""


def clocked(train: Callable[[int], None]) -> Loop:
    """Run a plain loop in a thread of its own, as a `Fit` is: a thread has its own memory pools."""
    thread = ThreadPoolExecutor(1)

    def loop(batches: int) -> float:
        began = time.perf_counter()
        train(batches)
        return time.perf_counter() - began

    return lambda batches: thread.submit(loop, batches).result()


class Fit(pl.Callback):
    """A Trainer's run in a thread of its own, which trains when it is asked to and waits meanwhile.

    A batch takes the time from its start to the start of the next one of the same epoch; what Lightning does between epochs
    belongs to no step.

    Args:
        trainer: The trainer; without limits of its own.
        fit: What `trainer.fit` is given.
    """

    def __init__(self, trainer: pl.Trainer, **fit: Any) -> None:
        self.asked, self.answered = threading.Semaphore(0), threading.Semaphore(0)
        self.left, self.seconds, self.began = 0, 0.0, 0.0
        self.error: BaseException | None = None
        trainer.callbacks.insert(0, self)  # type: ignore[attr-defined]
        pass_over([self])  # the clock's own cost is nobody's
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
        if batch_idx and self.began:
            self.seconds += time.perf_counter() - self.began
            self.left -= 1
        if self.left == 0:
            self.answered.release()
            self.asked.acquire()
        if self.left < 0:
            trainer.should_stop = True
        self.began = time.perf_counter()


def take_turns(loops: Mapping[str, Loop], batches: int, turns: int) -> dict[str, list[float]]:
    """Return each loop's seconds for so many batches, turn by turn; the first turn is not counted."""
    taken: dict[str, list[float]] = {name: [] for name in loops}
    for _ in range(turns + 1):
        for name, loop in loops.items():
            taken[name].append(loop(batches))
    return {name: spent[1:] for name, spent in taken.items()}
