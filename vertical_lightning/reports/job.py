"""One job of a sweep, as its folder tells it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from vertical_lightning.reports.manifest import JOB, STATES, load, read
from vertical_lightning.reports.natural_sort import text

LEAKAGE = "leakage"
"""The largest `leakage/<party>`: a chain is as tight as its loosest link."""


@dataclass(frozen=True)
class Job:
    """One job.

    Attributes:
        folder: Where it lies.
        state: One of STATES.
        reason: Why it did not complete.
        key: Names its full configuration; empty where it was interrupted.
        swept: What the sweep gave it, as text; what does not apply to it is not in it.
        parameters: All that makes runs differ, by dotted key.
        metrics: Those that are defined, by TensorBoard tag.
        seconds: How long it took.
        commit: Of the git checkout that it ran from; empty where unknown.
    """

    folder: Path
    state: str
    reason: str
    key: str
    swept: Mapping[str, str]
    parameters: Mapping[str, Any]
    metrics: Mapping[str, float]
    seconds: float
    commit: str = ""

    @property
    def baseline(self) -> str:
        """Return what a job is in which nothing crossed: "centralized" or "<party> alone"; "" where parties exchanged."""
        asked = self.parameters.get("baseline")
        if asked and asked != "centralized":
            return f"{text(asked)} alone"
        crossed = self.state != "completed" or self.metrics.get("wire/bytes") != 0
        return "" if crossed and not asked else "centralized"


def read_job(folder: Path) -> Job:
    """Read a job's folder.

    Raises:
        ValueError: If a file in it is not what a job leaves.
    """
    if not (folder / JOB).is_file():
        return interrupted(folder, "It has no job.json: it was interrupted, or is still running.")
    record = read(folder, JOB)
    completed = record["state"] == "completed"
    if completed and not (folder / "metrics.json").is_file():
        return interrupted(folder, "It has no metrics.json, though it completed.")
    if record["state"] not in STATES:
        raise ValueError(f"{folder / JOB} has state={record['state']!r}; states are {', '.join(STATES)}.")
    metrics = load(folder / "metrics.json", {}) if completed else {}
    defined = {name: value for name, value in metrics.items() if isinstance(value, int | float) and math.isfinite(value)}
    leaks = [value for name, value in defined.items() if name.startswith(f"{LEAKAGE}/")]
    return Job(
        folder=folder,
        state=record["state"],
        reason=str(record.get("reason") or ""),
        key=str(record.get("key") or ""),
        swept={key: text(value) for key, value in record["swept"].items() if value is not None},
        parameters=record.get("parameters") or {},
        metrics=defined | ({LEAKAGE: max(leaks)} if leaks else {}),
        seconds=float(record.get("seconds") or 0),
        commit=str(record.get("commit") or ""),
    )


def interrupted(folder: Path, reason: str) -> Job:
    """Describe a job that left no result by what Hydra wrote before it ran."""
    return Job(folder, "interrupted", reason, "", overrides(folder), {}, {}, 0.0)


def overrides(folder: Path) -> dict[str, str]:
    """Read what a job was told on the command line."""
    try:
        words = yaml.safe_load((folder / ".hydra" / "overrides.yaml").read_text()) or []
    except (OSError, yaml.YAMLError):
        return {}
    told = (str(word).lstrip("+").partition("=") for word in words)
    return {key: text(parsed(value)) for key, _, value in told}


def parsed(value: str) -> object:
    """Read an override's value as YAML, which Hydra's own grammar is close to."""
    try:
        return yaml.safe_load(value)
    except yaml.YAMLError:
        return value


def chosen(job: Job, key: str) -> str | None:
    """Return what a job used for a key that its own sweep did not sweep: a group's choice or a parameter."""
    try:
        hydra = yaml.safe_load((job.folder / ".hydra" / "hydra.yaml").read_text())["hydra"]
        choice = hydra["runtime"]["choices"].get(key)
    except (OSError, yaml.YAMLError, KeyError, TypeError):
        choice = None
    value = job.parameters.get(key) if choice is None else choice
    return None if value is None else text(value)
