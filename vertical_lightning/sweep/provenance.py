"""What a sweep is about, written into its folder before the first job: command, versions, commit, and what is swept."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

from vertical_lightning.reports import manifest

PACKAGES = ("vertical_lightning", "torch", "torchvision", "pytorch-lightning", "hydra-core", "openmined-psi", "numpy")


def write(folder: Path, swept: Sequence[str], objective: Sequence[str], report: Sequence[str] = ()) -> None:
    """Record the study that the command line began."""
    commit, changed = git()
    study = {
        "command": shlex.join(["vl-train", *sys.argv[1:]]),
        "started": datetime.now().astimezone().isoformat(timespec="seconds"),
        "commit": commit,
        "changed": changed,
        "versions": {"python": sys.version.split()[0], **{name: version(name) for name in PACKAGES}},
        "swept": list(swept),
        "objective": list(objective),
        "report": list(report),
    }
    manifest.write(folder, manifest.SWEEP, study)


def count(folder: Path, jobs: int) -> None:
    """Record how many jobs there will be, once that is known; a search does not know."""
    if (folder / manifest.SWEEP).is_file():
        manifest.write(folder, manifest.SWEEP, manifest.read(folder, manifest.SWEEP) | {"jobs": jobs})


def git() -> tuple[str | None, bool]:
    """Return the commit of the checkout that the code runs from, and whether it has been changed; None for a wheel."""
    package = Path(__file__).resolve().parents[1]

    def ask(*words: str) -> str:
        return subprocess.run(["git", "-C", str(package), *words], capture_output=True, text=True, check=True).stdout.strip()

    try:
        if Path(ask("rev-parse", "--show-toplevel")) != package.parent:
            return None, False  # a wheel inside somebody else's repository
        return ask("rev-parse", "HEAD"), bool(ask("status", "--porcelain", "--untracked-files=no"))
    except (OSError, subprocess.CalledProcessError):
        return None, False
