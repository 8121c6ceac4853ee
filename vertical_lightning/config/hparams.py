"""Which settings make a run what it is, and which of them all parties share: one rule for loggers, sweeps and the handshake."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from omegaconf import DictConfig, ListConfig, OmegaConf, open_dict

TABLE = ".hparams"
"""What the name of the event file ends with that holds the table of hyper-parameters."""

INCIDENTAL = ("folder", "sweep", "objective", "report", "run_name", "rendezvous", "trust", "expected")
"""Settings that change nothing of a run: where it lies, what it is called, what is done with its numbers."""

OBSERVERS = ("callbacks", "logger")
"""Settings that change what a run leaves behind, and none of its numbers."""

PRIVATE = (
    *INCIDENTAL,
    *OBSERVERS,
    *("data", "partition", "overlap", "datamodule.holdings", "datamodule.row_seed", "datamodule.workers"),
    *("datamodule.scaling", "datamodule.image_range", "datamodule.task", "task", "metrics"),
    *("optimizer", "scheduler", "clip_norm", "accumulate", "defense", "attack", "party_seed", "weights"),
    *("trainer", "threads", "most_threads", "checkpoint", "ckpt_path", "name", "run", "out"),
    *("execution.certificate", "execution.key", "execution.authority", "execution.listen", "execution.insecure"),
    *("psi.cache", "psi.cache_folder", "psi.max_ids", "psi.bucket"),
)
"""Settings that each party chooses by itself: its files, how it scales, steps and guards, what it shows. All others must be the
same at all parties: results depend on them, or the parties would wait for each other for ever. How long to train the label
holder tells the others, see `distributed.handshake`."""

SHARED_NONETHELESS = ("trainer.precision",)
"""What all must have in common of what is private otherwise."""


def hyper_parameters(config: DictConfig) -> dict[str, str | float]:
    """Flatten all that may change a run's numbers, so that loggers and reports can tell runs apart.

    A class is named by its last name; what refers to another setting, and what is null, is left out.

    >>> hyper_parameters(OmegaConf.create({"cut": 2, "architecture": {"_target_": "a.mlp.Mlp", "hidden": [128, 640]}}))
    {'cut': 2, 'architecture': 'Mlp', 'architecture.hidden': '[128, 640]'}
    """
    parameters: dict[str, str | float] = {}
    for name in map(str, config):
        if name not in INCIDENTAL + OBSERVERS and not OmegaConf.is_interpolation(config, name) and config[name] is not None:
            parameters |= dict(flat(name, config[name]))
    return parameters


def shared(config: DictConfig) -> dict[str, str]:
    """Flatten what all parties must have in common."""
    settings = {key: str(value) for name in map(str, config) for key, value in flat(name, config[name])}
    return {key: value for key, value in settings.items() if inside(key, SHARED_NONETHELESS) or not inside(key, PRIVATE)}


def same_job(config: DictConfig) -> dict[str, Any]:
    """Return all that makes a job of a sweep the one that it is, resolved; equal for two jobs of which one need not run."""
    bare = config.copy()
    with open_dict(bare):
        bare.folder = ""  # others refer to it
        whole = OmegaConf.to_container(bare, resolve=True)
    assert isinstance(whole, dict)
    return {str(name): value for name, value in whole.items() if name not in INCIDENTAL}


def inside(key: str, groups: Iterable[str]) -> bool:
    """Whether a setting is one of these, or below one of them.

    >>> inside("trainer.precision", ["trainer"]), inside("trainers", ["trainer"])
    (True, False)
    """
    return any(key == group or key.startswith(f"{group}.") for group in groups)


def flat(path: str, value: Any) -> Iterator[tuple[str, str | float]]:
    """Yield (dotted path, number or string); what a reference points to is listed at its own place."""
    if isinstance(value, ListConfig):
        value = OmegaConf.to_container(value, resolve=True)
    if not isinstance(value, DictConfig):
        yield path, value if isinstance(value, int | float | str) else str(value)
        return
    if "_target_" in value:
        yield path, str(value._target_).rsplit(".", 1)[-1]
    for key in map(str, value):
        if not key.startswith("_") and not OmegaConf.is_interpolation(value, key):
            yield from flat(f"{path}.{key}", value[key])
