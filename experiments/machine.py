"""What measured numbers depend on."""

from __future__ import annotations

import os
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any


def machine(*packages: str) -> dict[str, Any]:
    """Return the processor, its cores, and the versions of Python, this package and the given ones."""
    model = next((line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")), ":")
    return {
        "python": sys.version.split()[0],
        **{name: version(name) for name in ("vertical_lightning", "torch", "pytorch-lightning", *packages)},
        "cores": len(os.sched_getaffinity(0)),
        "processor": model.partition(":")[2].strip(),
    }
