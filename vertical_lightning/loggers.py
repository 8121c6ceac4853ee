"""What differs between the places that a run is logged to: what they need, how they take texts, how they are looked at."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from hydra.utils import get_class
from omegaconf import DictConfig, OmegaConf, open_dict
from pytorch_lightning.loggers import CSVLogger, Logger, MLFlowLogger, TensorBoardLogger, WandbLogger

NEEDS = {"WandbLogger": "wandb", "MLFlowLogger": "mlflow"}
"""Class → package, which is also the name of the extra that brings it."""


def check_loggers(config: DictConfig) -> None:
    """Refuse a logger whose package is not installed.

    Raises:
        ValueError: It says what to install.
    """
    for node in (config.get("logger") or {}).values():
        package = NEEDS.get(str(node.get("_target_")).rsplit(".", 1)[-1])
        if package and find_spec(package) is None:
            raise ValueError(
                f"logger={package} needs {package}, which is not installed: pip install 'vertical_lightning[{package}]', or "
                "choose another logger: tensorboard, csv or none."
            )


def describe(texts: Mapping[str, str], trainer: pl.Trainer, step: int | None = None) -> None:
    """Show texts in every logger, by tag, letter by letter as they are."""
    for logger in trainer.loggers:
        for tag, text in texts.items():
            if isinstance(logger, TensorBoardLogger):
                logger.experiment.add_text(tag, f"```\n{text}\n```", step)
            elif isinstance(logger, WandbLogger):
                logger.log_text(tag, columns=["text"], data=[[text]])
            elif isinstance(logger, MLFlowLogger):
                logger.experiment.log_text(logger.run_id, text, f"{tag}.txt")
            elif isinstance(logger, CSVLogger):
                Path(logger.experiment.log_dir, f"{tag}.txt").write_text(f"{text}\n")


def log_hyper_parameters(parameters: Mapping[str, str | float], trainer: pl.Trainer) -> None:
    """Log what makes runs differ; TensorBoard shows it beside the final metrics, and gets both at the end."""
    for logger in trainer.loggers:
        if not isinstance(logger, TensorBoardLogger):
            logger.log_hyperparams(dict(parameters))


def close(trainer: pl.Trainer, failed: bool) -> None:
    """End what would go on into the next run of this process.

    Args:
        trainer: The trainer, for its loggers.
        failed: Whether an error or a signal ended the run.
    """
    if any(isinstance(logger, WandbLogger) for logger in trainer.loggers):
        import wandb

        wandb.finish(exit_code=int(failed))


def how_to_look(loggers: Sequence[Logger], folder: str) -> str:
    """Return what shows the curves, one line a logger; without any, the file with the final metrics.

    >>> how_to_look([], "logs/1")
    'logs/1/metrics.json'
    """
    return "\n".join(line for logger in loggers if (line := shown_by(logger))) or str(Path(folder, "metrics.json"))


def shown_by(logger: Logger) -> str:
    """Return the command, address or file that shows what a logger has got; empty where this is not known."""
    if isinstance(logger, TensorBoardLogger):
        return f"tensorboard --logdir {shlex.quote(str(logger.save_dir))}"
    if isinstance(logger, WandbLogger):
        run = logger.experiment
        return run.url or f"wandb sync {shlex.quote(str(Path(run.dir).parent))}"
    if isinstance(logger, MLFlowLogger):
        return f"mlflow ui --backend-store-uri {shlex.quote(logger.experiment.tracking_uri)}"
    return logger.experiment.metrics_file_path if isinstance(logger, CSVLogger) else ""


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
    """Return what shows all that a logger of this configuration has got from jobs, whose folders are stars in it."""
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
