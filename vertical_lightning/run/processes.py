"""The same experiment with one process a party, all started here."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from vertical_lightning.config.best import kept
from vertical_lightning.config.choices import check_cut
from vertical_lightning.config.compose import build, in_sweep
from vertical_lightning.distributed.spawn import spawn
from vertical_lightning.run import threads
from vertical_lightning.run.party import run_party


def run(config: DictConfig, compared: Mapping[str, str | float] | None = None) -> dict[str, float]:
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
    return merged(config, members)


def parties(config: DictConfig) -> list[str]:
    """Name all parties of the run."""
    given = config.data.get("parties")
    if isinstance(given, DictConfig):
        named = [str(name) for name in given]
    else:
        held, _, _ = build(config.datamodule.holdings).example(config.label_holder, rows=2)
        named = list(held.tables["all"])
    return list(dict.fromkeys([*named, *config.topology.owners, config.label_holder]))


def configuration_of(config: DictConfig, name: str) -> DictConfig:
    """Return what one party is told: its own folder, its own seed, its own files."""
    own = config.copy()
    OmegaConf.set_struct(own, False)
    own.folder = str(Path(config.folder, name).absolute())
    seed = config.party_seed
    own.party_seed = seed.get(name) if isinstance(seed, DictConfig) else seed
    own.checkpoint = kept(config, in_sweep())
    own.most_threads = threads.share_of(None)  # a party's process does not know its sweep
    backend = config.execution.items()
    own.execution = {key: value[name] if isinstance(value, DictConfig) else value for key, value in backend}
    for other, settings in (own.data.get("parties") or {}).items():
        if other != name and isinstance(settings, DictConfig):
            for key in ("path", "test_path"):
                settings.pop(key, None)
    if name != config.label_holder:
        own.trainer.enable_progress_bar = False  # one bar is enough
        (own.get("callbacks") or {}).pop("progress_bar", None)
    return own


def merged(config: DictConfig, members: Sequence[str]) -> dict[str, float]:
    """Put the parties' metrics together as those of one run, and keep them where a run in one process would."""
    folder = Path(config.folder)
    found = {name: json.loads((folder / name / "metrics.json").read_text()) for name in members}
    metrics: dict[str, float] = {}
    for name in [*(one for one in members if one != config.label_holder), config.label_holder]:
        metrics |= {key: float("nan") if value is None else value for key, value in found[name].items()}
    for total in ("wire/bytes", "wire/evaluation_bytes"):  # each party knows its own links
        metrics[total] = float(sum(value for key, value in metrics.items() if key.startswith(f"{total}/")))
    defined = {key: metrics[key] if math.isfinite(metrics[key]) else None for key in sorted(metrics)}
    (folder / "metrics.json").write_text(json.dumps(defined, indent=2) + "\n")
    shutil.copy(folder / config.label_holder / "alignment.txt", folder)
    return metrics
