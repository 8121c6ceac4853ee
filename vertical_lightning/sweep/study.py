"""What a sweep is about, written into its folder before the first job: command, versions, commit, and what is swept."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser

RECORD = "study.json"
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
    (folder / RECORD).write_text(json.dumps(study, indent=2) + "\n")


def count(folder: Path, jobs: int) -> None:
    """Record how many jobs there will be, once that is known; a search does not know."""
    if (folder / RECORD).is_file():
        (folder / RECORD).write_text(json.dumps(read(folder) | {"jobs": jobs}, indent=2) + "\n")


def read(folder: Path) -> dict[str, Any]:
    """Read what `write` wrote."""
    study: dict[str, Any] = json.loads((folder / RECORD).read_text())
    return study


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


def varied(overrides: Iterable[str]) -> list[str]:
    """Name the keys that overrides give several values; the last word on a key counts.

    >>> varied(["cut=1,2", "seed=0", "+a=choice(1,2)", "cut=all", "lr=1,2", "lr=3"])
    ['cut', 'a']
    """
    parsed = OverridesParser.create().parse_overrides(list(overrides))
    several = {one.key_or_group: one.is_sweep_override() or is_every(one.input_line) for one in parsed}
    return [name for name, yes in several.items() if yes]


def fixed(overrides: Iterable[str]) -> list[str]:
    """Name the keys that overrides give one value.

    >>> fixed(["cut=1,2", "seed=0"])
    ['seed']
    """
    overrides = list(overrides)
    parsed = OverridesParser.create().parse_overrides(overrides)
    return sorted({one.key_or_group for one in parsed} - set(varied(overrides)))


def is_every(override: str | None) -> bool:
    """Whether an override asks for every legal cut."""
    return override == "cut=all"
