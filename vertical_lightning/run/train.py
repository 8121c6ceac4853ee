"""One experiment, from its configuration to its record: align, fit, test, and say what came out."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

import pytorch_lightning as pl
from omegaconf import DictConfig, OmegaConf

from vertical_lightning.config.best import best_of, megabytes_of
from vertical_lightning.config.compose import build
from vertical_lightning.config.hparams import hyper_parameters
from vertical_lightning.data.datamodule import VerticalDataModule
from vertical_lightning.run import summary
from vertical_lightning.run.attack import Transcripts, attacked, check_attacks
from vertical_lightning.run.build import assembled
from vertical_lightning.run.record import record
from vertical_lightning.split.loggers import describe, how_to_look, log_hyper_parameters
from vertical_lightning.split.split_module import SplitModule
from vertical_lightning.split.view import Attack


def train(
    config: DictConfig,
    compared: Mapping[str, str | float] | None = None,
    party: str | None = None,
    rendezvous: str = "",
) -> dict[str, float]:
    """Run one experiment from its configuration, leave its record in `config.folder`, and return its metrics.

    Args:
        config: The whole configuration.
        compared: The hyper-parameters that TensorBoard compares runs by; None for all that can make runs differ.
        party: The party that runs in this process; None for all.
        rendezvous: Where the others find the label holder's process, `host:port`.
    """
    with assembled(config, party, rendezvous) as (config, trainer, module, data):
        introduce(config if party is None else without_secrets(config), module, data, trainer)
        attacks: dict[str, Attack] = build(config.attack)
        check_attacks(attacks, module.network, data.task.outputs, party is not None)
        transcripts = Transcripts({attack.adversary for attack in attacks.values()})
        trainer.callbacks += [transcripts] if attacks else []  # type: ignore[attr-defined]
        curves, seconds = fit_and_test(trainer, module, data, config.ckpt_path, best_of(config))
        ends = {**summary.alignment_metrics(data.alignments), **summary.wire_metrics(module), "time/fit_seconds": seconds}

        metrics = curves | ends | attacked(attacks, transcripts, module, data)
        record(metrics, curves, config, trainer, hyper_parameters(config) if compared is None else compared)
        whole = f"{summary.alignment(data.alignments)}\n{summary.statements(data.alignments)}\n"
        Path(config.folder, "alignment.txt").write_text(whole)
        if (size := megabytes_of(Path(config.folder))) > 0:
            print(f"checkpoints: {size:.1f} MB\n", flush=True)
        print(f"{summary.results(metrics)}\n{how_to_look(trainer.loggers, config.folder)}", flush=True)
    return metrics


def introduce(config: DictConfig, module: SplitModule, data: VerticalDataModule, trainer: pl.Trainer) -> None:
    """Print the network; show in the loggers what was asked for, who runs what, and who learned what."""
    print(f"Network\n  {module.network.describe()}\n", flush=True)
    texts = {
        "configuration": OmegaConf.to_yaml(config),
        "topology": summary.topology(module.network),
        "leak_statement": summary.statements(data.alignments),
    }
    log_hyper_parameters(hyper_parameters(config), trainer)
    describe(texts, trainer)


def without_secrets(config: DictConfig) -> DictConfig:
    """Return a party's configuration as others may see it."""
    shown = config.copy()
    shown.party_seed = "secret"
    return shown


def fit_and_test(
    trainer: pl.Trainer, module: SplitModule, data: VerticalDataModule, ckpt_path: str | None, best: Path | None = None
) -> tuple[dict[str, float], float]:
    """Return all metrics that were logged, as they ended, and the seconds of fit.

    Args:
        trainer: Fits, and tests where there are test rows.
        module: The network.
        data: The rows.
        ckpt_path: What to go on from.
        best: The checkpoint to test, where there is one; None for the last step.
    """
    started = time.perf_counter()
    trainer.fit(module, datamodule=data, ckpt_path=ckpt_path)
    curves, seconds = module.last_metrics(), time.perf_counter() - started
    if len(data.splits["test"]):
        tested = best if best is not None and best.is_dir() else None
        trainer.test(module, datamodule=data, ckpt_path=tested, verbose=False)
        curves |= {name: float(value) for name, value in trainer.callback_metrics.items()}
    return curves, seconds
