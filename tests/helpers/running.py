"""A run with one process a party, under way while a test does something to it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from job import SMALL, run

QUICK = ["trainer.log_every_n_steps=3", "threads=1", "callbacks.progress_bar.refresh_rate=0"]
PATIENT = 120.0
"""Seconds after which a test gives up; nothing here should take a tenth of it."""


class Running:
    """Runs in a thread of this process; its parties are processes of their own."""

    def __init__(self, folder: Path, *words: str) -> None:
        self.folder, self.error = folder, ""
        self._words = [*SMALL, *QUICK, "execution=gloo", "partition=halves", "trainer.max_epochs=10000", *words]
        self._thread = threading.Thread(target=self._go, daemon=True)
        self._thread.start()

    def _go(self) -> None:
        try:
            run(self.folder, *self._words)
        except ConnectionError as error:
            self.error = str(error)

    def until_epoch(self, number: int = 1) -> dict[str, Any]:
        """Wait until that many epochs have been saved by everybody; return the parties' processes."""
        found = {process.name: process for process in multiprocessing.active_children()}
        wait(lambda: self.saved() >= number, "the first checkpoints")
        return found or {process.name: process for process in multiprocessing.active_children()}

    def saved(self) -> int:
        """How many epochs all parties that run have saved."""
        folders = [one for one in self.folder.glob("*/checkpoints") if (one / "last.ckpt").is_dir()]
        names = {process.name for process in multiprocessing.active_children()}
        if not names or names - {folder.parent.name for folder in folders}:
            return 0
        return min(1 + int((folder / "last.ckpt").resolve().stem.partition("_")[2] or -1) for folder in folders)

    @property
    def alive(self) -> bool:
        """Whether the run is under way."""
        return self._thread.is_alive()

    def ended(self) -> None:
        """Wait for the end of the run."""
        self._thread.join(PATIENT)
        assert not self._thread.is_alive(), "the run hangs"
        assert not multiprocessing.active_children(), "a process has outlived the run"

    def said(self, party: str) -> str:
        """What a party printed."""
        return (self.folder / party / "output.txt").read_text()


def wait(until: Callable[[], object], what: str) -> None:
    ends = time.monotonic() + PATIENT
    while not until():
        assert time.monotonic() < ends, f"{what} did not come"
        time.sleep(0.05)


class Bomb(pl.Callback):
    """Fails at one party, in the middle of an epoch, with words that must stay there."""

    def __init__(self, party: str, step: int = 5) -> None:
        self.party, self.step = party, step

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        data: Any = trainer.datamodule  # type: ignore[attr-defined]
        if data.party == self.party and trainer.global_step == self.step:
            raise KeyError("a secret of this party")


class Freeze(pl.Callback):
    """Stops one party's process where nothing is left to do but to end."""

    def __init__(self, party: str) -> None:
        self.party = party

    def on_test_end(self, trainer: pl.Trainer, *_: Any) -> None:
        data: Any = trainer.datamodule  # type: ignore[attr-defined]
        if data.party == self.party:
            os.kill(os.getpid(), signal.SIGSTOP)


class Slow(pl.Callback):
    """Takes its time at one party, once."""

    def __init__(self, party: str, seconds: float) -> None:
        self.party, self.seconds = party, seconds

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        data: Any = trainer.datamodule  # type: ignore[attr-defined]
        if data.party == self.party and trainer.global_step == 2:
            time.sleep(self.seconds)
