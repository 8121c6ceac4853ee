"""What a sweep and its jobs write down about themselves: one JSON file a sweep, one a job. `sweep` writes them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import UnionType
from typing import Any

SWEEP, JOB = "study.json", "job.json"
"""A job's is written last: a folder without it was interrupted."""

STATES = ("completed", "failed", "skipped", "interrupted")

OF_A_SPLIT = ("cut", "merge", "topology", "defense", "codec", "schedule", "attack")
"""Keys that a job has no use for in which nothing crosses."""

FIELDS: Mapping[str, Mapping[str, type]] = {
    SWEEP: {"command": str, "swept": list, "objective": list, "started": str},
    JOB: {"state": str, "swept": dict},
}
OPTIONAL: Mapping[str, Mapping[str, type | UnionType]] = {
    SWEEP: {"versions": dict, "report": list},
    JOB: {"parameters": dict, "seconds": int | float},
}


def read(folder: Path, name: str) -> dict[str, Any]:
    """Read a folder's SWEEP or JOB.

    Raises:
        ValueError: It is not what `write` wrote.
    """
    return load(folder / name, FIELDS[name], OPTIONAL[name])


def write(folder: Path, name: str, manifest: Mapping[str, Any]) -> None:
    """Write a folder's SWEEP or JOB, whole or not at all."""
    part = folder / f"{name}.part"
    part.write_text(json.dumps(manifest, indent=2) + "\n")
    part.replace(folder / name)


def load(path: Path, fields: Mapping[str, type], optional: Mapping[str, type | UnionType] = {}) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        ValueError: If it is none, has not these fields, or has one of another type.
    """
    try:
        record = json.loads(path.read_text())
    except ValueError as error:
        raise ValueError(f"{path} is no JSON ({error}): it was not written to its end, or by another program.") from error
    wrong = [field for field, kind in fields.items() if not isinstance(record, dict) or not isinstance(record.get(field), kind)]
    if isinstance(record, dict):
        wrong += [field for field, kind in optional.items() if not isinstance(record.get(field), kind | None)]
    if wrong or not isinstance(record, dict):
        raise ValueError(f"{path} does not say its {', '.join(wrong) or 'metrics'}: it is not what vl-train writes.")
    return record
