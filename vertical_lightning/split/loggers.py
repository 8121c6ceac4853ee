"""What differs between the places that a run is logged to: how they take texts, how they are looked at."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytorch_lightning as pl
from pytorch_lightning.loggers import CSVLogger, Logger, MLFlowLogger, TensorBoardLogger, WandbLogger
from torch.utils.tensorboard import SummaryWriter


def tensorboards(trainer: pl.Trainer) -> list[TensorBoardLogger]:
    """Return the trainer's TensorBoard loggers; there may be none."""
    return [logger for logger in trainer.loggers if isinstance(logger, TensorBoardLogger)]


def sub_run(logger: TensorBoardLogger, name: str) -> SummaryWriter:
    """Begin a run of this name within a logger's own, written as often as that."""
    return SummaryWriter(str(Path(logger.log_dir, name)), **logger._kwargs)


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
