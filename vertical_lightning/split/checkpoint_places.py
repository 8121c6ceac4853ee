"""Where parties' files lie: in a checkpoint, in a run of one process, in a run of several."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from vertical_lightning.split.checkpoint_file import glance


def place(path: Path, party: str) -> Path:
    """Say where a party's file is: in a checkpoint, or the newest of a run in one process or in several."""
    choices = [path / f"{party}.ckpt", path / party / "checkpoints" / "last.ckpt" / f"{party}.ckpt"]
    choices += [path / "checkpoints" / "last.ckpt" / f"{party}.ckpt", path / party / f"{party}.ckpt"]
    # RUN/epoch_004.ckpt of several processes, or of one
    choices += [folder / "checkpoints" / path.name / f"{party}.ckpt" for folder in (path.parent / party, path.parent)]
    return next((file for file in choices if file.is_file()), choices[0])


class Moment(NamedTuple):
    """When a part was saved."""

    run: str
    epoch: int
    step: int


def moment_of(file: Path) -> Moment:
    """Say when a party's part was saved.

    Raises:
        ValueError: The file is none of a checkpoint.
    """
    saved = glance(file)
    return Moment(saved["run"], saved["epoch"], saved["global_step"])


def parts_of(path: Path) -> list[Path]:
    """List all parties' files of a checkpoint, or the newest of a run in one process or in several."""
    patterns = ("*.ckpt", "checkpoints/last.ckpt/*.ckpt", "*/checkpoints/last.ckpt/*.ckpt", "*/*.ckpt")
    places = [(path, pattern) for pattern in patterns]
    places += [(path.parent, f"{folder}checkpoints/{path.name}/*.ckpt") for folder in ("*/", "")]
    listed = (sorted(file for file in folder.glob(pattern) if file.is_file()) for folder, pattern in places)
    return next((files for files in listed if files), [])
