"""Writes sweeps' folders as vl-train leaves them, without training."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch.utils.tensorboard.writer import SummaryWriter

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def sweep(folder: Path, swept: Sequence[str] = ("architecture", "cut", "seed"), **differs: Any) -> Path:
    """Write study.json."""
    folder.mkdir(parents=True)
    study = {
        "command": f"vl-train -m {' '.join(f'{key}=…' for key in swept)}",
        "versions": {"python": "3.11.7", "torch": "2.9"},
        "commit": COMMIT,
        "changed": False,
        "started": "2026-01-02T03:04:05",
        "swept": list(swept),
        "objective": ["test/accuracy"],
    }
    (folder / "study.json").write_text(json.dumps(study | differs))
    return folder


def job(
    folder: Path,
    number: int,
    swept: Mapping[str, Any],
    metrics: Mapping[str, float | None] | None,
    *,
    state: str = "completed",
    reason: str | None = None,
    key: str | None = None,
    **parameters: Any,
) -> Path:
    """Write one job's folder; its key is that of what it was given."""
    dirname = ",".join(f"{name}={value}" for name, value in swept.items())
    made = folder / f"{number}_{re.sub(r'[^a-z0-9=,]', '', dirname)}"
    (made / ".hydra").mkdir(parents=True)
    (made / ".hydra" / "overrides.yaml").write_text(json.dumps([f"{name}={value}" for name, value in swept.items()]))
    told = {"data": "MnistSample", **{name: str(value) for name, value in swept.items()}, **parameters}
    record = {
        "state": state,
        "reason": reason,
        "key": key or json.dumps(told, sort_keys=True).encode().hex(),
        "swept": dict(swept),
        "parameters": told,
        "seconds": 2.5,
    }
    (made / "job.json").write_text(json.dumps(record))
    if metrics is not None:
        (made / "metrics.json").write_text(json.dumps(metrics))
    return made


def curve(folder: Path, values: Sequence[float], tag: str = "val/accuracy") -> None:
    """Log one value an epoch of ten batches."""
    with SummaryWriter(str(folder)) as writer:
        for epoch, value in enumerate(values):
            writer.add_scalar("epoch", epoch, 10 * epoch + 9)
            writer.add_scalar(tag, value, 10 * epoch + 9)
