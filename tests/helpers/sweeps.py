"""Runs the command `vl-train -m` on small pictures, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

SMALL = [
    *("data._target_=small_images.SmallImages", "partition=halves", "batch_size=32", "trainer.max_epochs=1"),
    *("trainer.accelerator=cpu", "callbacks.progress_bar.refresh_rate=0"),
]


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "vertical_lightning.commands.train", "-m", *SMALL, *words]


def environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])}


def sweep(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a sweep into logs/sweeps/ of `folder`."""
    return subprocess.run(command(*words), cwd=folder, env=environment(), capture_output=True, text=True, timeout=500)


def jobs(folder: Path) -> dict[str, dict[str, Any]]:
    """The records of a sweep's jobs, by the folder's name without its number."""
    return {path.parent.name.split("_", 1)[1]: json.loads(path.read_text()) for path in folder.glob("*/job.json")}
