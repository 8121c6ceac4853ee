"""The same experiment with one process a party, all started here."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from vertical_lightning.config.choices import check_cut
from vertical_lightning.config.compose import Configuration
from vertical_lightning.config.one_party import configuration_of, parties
from vertical_lightning.distributed.spawn import spawn
from vertical_lightning.run.party import run_party


def run(config: Configuration, compared: Mapping[str, str | float] | None = None) -> dict[str, float]:
    """Start a process for every party, and put their records together.

    Args:
        config: The whole configuration.
        compared: The hyper-parameters that TensorBoard compares runs by.

    Returns:
        The metrics that a run in one process would have, and what only processes have.

    Raises:
        ConnectionError: A party has failed or was killed; says which, and how to go on.
    """
    check_cut(config)  # a sweep skips it
    members = parties(config)
    spawn({name: configuration_of(config, name) for name in members}, run_party, config.rendezvous, compared)
    return merged(Path(config.folder), members, config.label_holder)


def merged(folder: Path, members: Sequence[str], label_holder: str) -> dict[str, float]:
    """Put the parties' metrics together as those of one run, and keep them where a run in one process would.

    Args:
        folder: The run's, with one of each party in it.
        members: All parties.
        label_holder: Whose word counts where several know a metric.
    """
    measured = {name: json.loads((folder / name / "metrics.json").read_text()) for name in members}
    metrics: dict[str, float] = {}
    for name in [*(member for member in members if member != label_holder), label_holder]:
        metrics |= {key: float("nan") if value is None else value for key, value in measured[name].items()}
    for total in ("wire/bytes", "wire/evaluation_bytes"):  # each party knows its own links
        metrics[total] = float(sum(value for key, value in metrics.items() if key.startswith(f"{total}/")))
    defined = {key: metrics[key] if math.isfinite(metrics[key]) else None for key in sorted(metrics)}
    (folder / "metrics.json").write_text(json.dumps(defined, indent=2) + "\n")
    shutil.copy(folder / label_holder / "alignment.txt", folder)
    return metrics
