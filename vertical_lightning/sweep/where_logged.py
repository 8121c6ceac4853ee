"""Where the jobs of a sweep were logged to, for its last line."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from hydra.utils import get_class
from omegaconf import DictConfig, OmegaConf, open_dict
from pytorch_lightning.loggers import CSVLogger, MLFlowLogger, TensorBoardLogger, WandbLogger


def how_to_look_at_jobs(configs: Iterable[DictConfig], sweep: Path) -> str:
    """Return what shows the curves of a sweep, one line a logger; without any, the files with the jobs' final metrics.

    Args:
        configs: The jobs' configurations: a sweep may be over loggers.
        sweep: The folder of the jobs' folders.
    """
    deep = any(sweep.glob("*/*/metrics.json"))  # with a process a party, each has its folder in the job's
    lines = dict[str, None]()
    for config in configs:
        with open_dict(config):
            config.folder = f"{sweep}/*/*" if deep else f"{sweep}/*"
        nodes = OmegaConf.to_container(config.logger, resolve=True)
        assert isinstance(nodes, dict)
        lines |= dict.fromkeys(line for node in nodes.values() if (line := shown_by_all(node)))
    return "\n".join(lines) or f"{sweep}/*/metrics.json"


def shown_by_all(node: Mapping[str, Any]) -> str:
    """Return the command or file that shows what a logger got from all jobs; their folders are stars in its settings."""
    kind = get_class(node["_target_"])
    if issubclass(kind, TensorBoardLogger):
        return f"tensorboard --logdir {shlex.quote(above(node['save_dir']))}"
    if issubclass(kind, CSVLogger):
        return str(Path(node["save_dir"], node["name"] or "", str(node["version"]), "metrics.csv"))
    if issubclass(kind, MLFlowLogger):
        uri = node["tracking_uri"].replace("*", "JOB", 1).replace("*", "PARTY")
        return f"mlflow ui --backend-store-uri {shlex.quote(uri)}"
    if issubclass(kind, WandbLogger):
        folder = above(node["save_dir"])
        stars = node["save_dir"].removeprefix(folder) + "/wandb/offline-run-*"
        offline = any(Path(folder).glob(stars.lstrip("/")))
        return f"wandb sync {shlex.quote(folder)}{stars}" if offline else f"wandb: project {node['project']}"
    return ""


def above(folder: str) -> str:
    """Return the part of a path before its stars.

    >>> above("logs/sweeps/1/*/*"), above("runs")
    ('logs/sweeps/1', 'runs')
    """
    return folder.split("/*")[0]
