"""Before anything runs: can the run's folder be written, and does it belong to this run?"""

from __future__ import annotations

import atexit
import fcntl
import os
import shutil
import sys
from pathlib import Path
from typing import Any, TextIO

from hydra.experimental.callback import Callback
from omegaconf import DictConfig

LOCK = ".lock"
RESULTS = ("metrics.json", "checkpoints/*.ckpt", "*/checkpoints/*.ckpt")
"""What a run leaves in its folder."""

_locks: list[TextIO] = []  # held until the process ends; here, because Hydra's launchers pickle their callbacks


class RunFolder(Callback):
    """A Hydra callback that stops with a sentence where Hydra would overwrite another run's record."""

    def on_run_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Take the folder of a single run."""
        folder = Path(config.hydra.run.dir)
        if not folder.exists():
            atexit.register(forget, folder.absolute())
        check(folder, "hydra.run.dir")
        if config.hydra.output_subdir is not None:  # others write no record
            refuse_results(folder, config.ckpt_path)
            own(folder, "hydra.run.dir")

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Take the folder of a sweep."""
        folder = Path(config.hydra.sweep.dir)
        check(folder, "hydra.sweep.dir")
        own(folder, "hydra.sweep.dir")


def check(folder: Path, key: str) -> None:
    """Make the folder, or leave with a sentence: Hydra turns exceptions of callbacks into warnings."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        reason = "" if os.access(folder, os.W_OK) else "permission denied"
    except OSError as error:
        reason = error.strerror or str(error)
    if reason:
        leave(f"the run's folder {folder.absolute()} cannot be written ({reason}). Choose another with {key}=PATH.")


def own(folder: Path, key: str) -> None:
    """Lock the folder for the life of this process, or leave: two runs at once would mix."""
    lock = Path(folder, LOCK).open("a+")  # noqa: SIM115, it stays open
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.seek(0)
        leave(f"the folder {folder.absolute()} is in use by a run in process {lock.read()}. Choose another with {key}=PATH.")
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    _locks.append(lock)


def refuse_results(folder: Path, ckpt_path: str | None) -> None:
    """Leave if the folder has the results of a run that this one does not go on with."""
    goes_on = ckpt_path is not None and folder.resolve() in (Path(ckpt_path).resolve(), *Path(ckpt_path).resolve().parents)
    if not goes_on and any(True for name in RESULTS for _ in folder.glob(name)):
        leave(
            f"the folder {folder.absolute()} holds a run already, and would mix the two. Choose another with "
            f"hydra.run.dir=PATH, or go on with that run: ckpt_path={folder}."
        )


def forget(folder: Path) -> None:
    """Remove the folder of a run that never began: it has settings, and nothing that came of them."""
    if folder.is_dir() and all(path.name in (".hydra", LOCK) or path.suffix == ".log" for path in folder.iterdir()):
        shutil.rmtree(folder, ignore_errors=True)


def leave(why: str) -> None:
    """End with a sentence."""
    sys.exit(f"{Path(sys.argv[0]).stem}: {why}")
