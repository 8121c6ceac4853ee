"""Before anything runs: can the run's folder be written?"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig


class RunFolder(Callback):
    """A Hydra callback that stops with a sentence where Hydra would show a traceback of its own."""

    def on_run_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Check the folder of a single run."""
        check(Path(config.hydra.run.dir), "hydra.run.dir")

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Check the folder of a sweep."""
        check(Path(config.hydra.sweep.dir), "hydra.sweep.dir")


def check(folder: Path, key: str) -> None:
    """Make the folder, or leave with a sentence: Hydra turns exceptions of callbacks into warnings."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        reason = "" if os.access(folder, os.W_OK) else "permission denied"
    except OSError as error:
        reason = error.strerror or str(error)
    if reason:
        sys.exit(
            f"vl-train: the run's folder {folder.absolute()} cannot be written ({reason}). Choose another with {key}=PATH."
        )
