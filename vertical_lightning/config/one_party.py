"""What each party is told of a run that is started for all of them at once."""

from __future__ import annotations

from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from vertical_lightning.config.best import kept
from vertical_lightning.config.compose import build, in_sweep
from vertical_lightning.config.job_cores import share_of


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
    own.most_threads = share_of(None)  # a party's process does not know its sweep
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
