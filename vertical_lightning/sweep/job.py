"""One job of a sweep: taken over from an earlier sweep, or run; completed, skipped or failed. The sweep goes on."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from vertical_lightning.config.compose import stamps
from vertical_lightning.config.hparams import TABLE, hyper_parameters, same_job
from vertical_lightning.reports import manifest
from vertical_lightning.split.cut import IllegalCutError

OF_A_RUN = ("metrics.json", "checkpoints", "events.out.tfevents.*", "output.txt", "csv", "wandb", "mlflow.db", "mlartifacts")
LEFTOVERS = (manifest.JOB, "error.txt", *OF_A_RUN, *(f"*/{name}" for name in OF_A_RUN), "*/*/events.out.tfevents.*")
"""What an interrupted attempt at the same folder may have left behind."""

Train = Callable[[DictConfig, Mapping[str, str | float]], dict[str, float]]


def run(config: DictConfig, train: Train) -> dict[str, float]:
    """Run one job of a sweep and record how it ended in its folder's `job.json`; no exception leaves.

    Args:
        config: The job's configuration.
        train: Trains, and returns the metrics; its second argument is what the sweep compares.

    Returns:
        The metrics; empty if the job was skipped or failed.
    """
    folder, started = Path(config.folder), time.perf_counter()
    compared = swept(config)
    print(progress(this_study(), HydraConfig.get().job.num, time.time()), flush=True)
    job = {"state": "completed", "reason": None, "key": key(config), "swept": compared, "parameters": hyper_parameters(config)}
    job["commit"] = this_study()["commit"]
    if config.sweep.resume and (earlier := finished(str(job["key"]), folder)):
        return take_over(earlier, folder, job)
    clear(folder)
    metrics: dict[str, float] = {}
    config.sweep.folder = str(this_sweep())  # not before the key, which other sweeps are to share
    try:
        metrics = train(config, {name: value for name, value in compared.items() if value is not None})
    except IllegalCutError as error:
        job |= {"state": "skipped", "reason": str(error)}
    except Exception as error:
        job |= {"state": "failed", "reason": f"{type(error).__name__}: {error}"}
        (folder / "error.txt").write_text(traceback.format_exc())
    if job["reason"]:
        print(f"{job['state']}: {job['reason']}", file=sys.stderr, flush=True)
    manifest.write(folder, manifest.JOB, job | {"seconds": time.perf_counter() - started})
    return metrics


def progress(study: Mapping[str, Any], number: int, now: float) -> str:
    """Say which job of how many begins, and how long the others may take if they take as long as those before.

    >>> from datetime import UTC
    >>> began = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    >>> progress({"jobs": 18, "started": began.isoformat()}, 4, began.timestamp() + 60)
    'Job 5 of 18, about 4 min left'
    >>> progress({"jobs": None, "started": began.isoformat()}, 4, began.timestamp() + 60)
    'Job 5'
    """
    total = study.get("jobs")
    if not total:
        return f"Job {number + 1}"
    left = (now - datetime.fromisoformat(study["started"]).timestamp()) / number * (total - number) if number else 0
    words = f"{left:.0f} s" if left < 90 else f"{left / 60:.0f} min" if left < 5400 else f"{left / 3600:.1f} h"
    return f"Job {number + 1} of {total}{f', about {words} left' if number else ''}"


def key(config: DictConfig) -> str:
    """Fingerprint the full configuration, less the job's own folder and what the sweep does with the result.

    >>> base = {"folder": "1", "sweep": {}, "objective": "a", "cut": "${depth}", "depth": 2}
    >>> one, same, other = (OmegaConf.create(base | change) for change in ({}, {"folder": "2", "cut": 2}, {"depth": 3}))
    >>> key(one) == key(same) != key(other)
    True
    """
    whole = same_job(config) | {"stamps": stamps(config.get("data"))}
    return hashlib.sha256(json.dumps(whole, sort_keys=True, default=str).encode()).hexdigest()


def swept(config: DictConfig) -> dict[str, Any]:
    """Return this job's values of what the sweep varies: numbers, strings, or None."""
    values: dict[str, Any] = {}
    for name in this_study()["swept"]:
        if config.baseline is not None and name.split(".")[0] in manifest.OF_A_SPLIT:
            continue
        value = HydraConfig.get().runtime.choices.get(name, OmegaConf.select(config, name))
        values[name] = value if value is None or isinstance(value, int | float | str) else str(value)
    return values | ({"baseline": config.baseline} if config.baseline is not None else {})


def this_study() -> dict[str, Any]:
    """Read what the sweep under way is about."""
    return manifest.read(this_sweep(), manifest.SWEEP)


def this_sweep() -> Path:
    """Return the folder of the sweep under way."""
    hydra = HydraConfig.get()
    return Path(hydra.runtime.cwd, hydra.sweep.dir)


def finished(wanted: str, folder: Path) -> Path | None:
    """Find a completed job of this configuration, in this sweep or those beside it."""
    for record in sorted(folder.parent.parent.glob(f"*/*/{manifest.JOB}")):
        with suppress(OSError, ValueError, AttributeError):
            job = json.loads(record.read_text())
            if job.get("key") == wanted and job.get("state") == "completed" and (record.parent / "metrics.json").is_file():
                return record.parent
    return None


def take_over(source: Path, folder: Path, job: Mapping[str, Any]) -> dict[str, float]:
    """Make `folder` hold what the finished job's folder holds, as a job of this sweep, and return its metrics."""
    print(f"taken over, finished before: {source}", flush=True)
    if source.resolve() != folder.resolve():
        clear(folder)
        apart = shutil.ignore_patterns(".hydra", manifest.JOB, f"*{TABLE}")
        shutil.copytree(source, folder, symlinks=True, dirs_exist_ok=True, ignore=apart, copy_function=share)
    earlier = manifest.read(source, manifest.JOB)
    metrics: dict[str, float] = json.loads((folder / "metrics.json").read_text())
    # What this sweep compares may be more than what the earlier one did.
    if earlier["swept"] != job["swept"]:
        from vertical_lightning.run.record import tabulate

        for stale in folder.glob(f"*{TABLE}"):
            stale.unlink()
        tabulate({name: value for name, value in job["swept"].items() if value is not None}, metrics, folder)
    manifest.write(folder, manifest.JOB, {**earlier, **job, "commit": earlier.get("commit"), "taken_over_from": str(source)})
    return metrics


def share(source: str, target: str) -> None:
    """Copy a file; a checkpoint, which is large and never written to again, is linked where the disk has links."""
    Path(target).unlink(missing_ok=True)
    with suppress(OSError):
        if source.endswith(".ckpt"):
            os.link(source, target)
            return
    shutil.copy2(source, target)


def clear(folder: Path) -> None:
    """Remove what an interrupted attempt left: its curves would be drawn beside the new ones."""
    for pattern in LEFTOVERS:
        for left in folder.glob(pattern):
            shutil.rmtree(left) if left.is_dir() else left.unlink()
