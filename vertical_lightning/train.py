"""The command `vl-train`: a Hydra configuration becomes a data module, a split module and a Trainer.

Torch and Lightning take seconds to import, so `main` imports them: `--help`, `--cfg job` and completion answer at once.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from vertical_lightning.best import best_of, megabytes_of
from vertical_lightning.configuration import build, config_folder, open_parties, or_leave, sentences, spare_driver, stand_alone
from vertical_lightning.finished_run import check_resumed, going_on
from vertical_lightning.objective import check_names, values
from vertical_lightning.parameters import hyper_parameters
from vertical_lightning.stopping import NOTHING_SAVED, stoppable
from vertical_lightning.sweep import extras, folder_name, grid_sweeper, job

if TYPE_CHECKING:
    import pytorch_lightning as pl

    from vertical_lightning.data.datamodule import VerticalDataModule
    from vertical_lightning.split_module import SplitModule


folder_name.register()  # here, because a launcher's workers import this module without calling main


def main() -> None:
    """Run the command line."""
    with or_leave():
        sys.argv[1:] = open_parties(going_on(sys.argv[1:]))
    extras.check(sys.argv[1:])
    grid_sweeper.register()
    with stoppable():  # also between two jobs of a sweep
        run()


@hydra.main(version_base="1.3", config_path=config_folder(), config_name="train")
def run(config: DictConfig) -> float | tuple[float | None, ...] | None:
    """Train, test, report; return what a search is to optimize, None where there is no such metric."""
    stand_alone()
    in_sweep = job.in_sweep()
    if not (in_sweep and "trainer.accelerator" in job.swept(config)):
        spare_driver(config)
    with sentences(partial(how_to_go_on, config)):
        check_resumed(config)
        check_names(config)
        start = build(config.parties)
        metrics = job.run(config, start) if in_sweep else start(config)
        return values(config, metrics, search="direction" in HydraConfig.get().sweeper)


def how_to_go_on(config: DictConfig) -> str:
    """Say how, after a signal has ended the command."""
    if job.in_sweep():
        return "To go on: the same command with sweep.resume=true; it takes over the jobs that are finished."
    if list(Path(config.folder).glob("checkpoints/last.ckpt/*.ckpt")):
        return f"To go on: the same command with ckpt_path={config.folder}."
    return NOTHING_SAVED


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
    from vertical_lightning import report
    from vertical_lightning.assembly import assembled
    from vertical_lightning.loggers import how_to_look
    from vertical_lightning.record import record

    with assembled(config, party, rendezvous) as (config, trainer, module, data):
        introduce(config if party is None else without_secrets(config), module, data, trainer)
        curves, seconds = fit_and_test(trainer, module, data, config.ckpt_path, best_of(config))
        ends = {**report.alignment_metrics(data.alignments), **report.wire_metrics(module), "time/fit_seconds": seconds}

        metrics = curves | ends
        record(metrics, curves, config, trainer, hyper_parameters(config) if compared is None else compared)
        whole = f"{report.alignment(data.alignments)}\n{report.statements(data.alignments)}\n"
        Path(config.folder, "alignment.txt").write_text(whole)
        if (size := megabytes_of(Path(config.folder))) > 0:
            print(f"checkpoints: {size:.1f} MB\n", flush=True)
        print(f"{report.results(metrics)}\n{how_to_look(trainer.loggers, config.folder)}", flush=True)
    return metrics


def introduce(config: DictConfig, module: SplitModule, data: VerticalDataModule, trainer: pl.Trainer) -> None:
    """Print the network; show in the loggers what was asked for, who runs what, and who learned what."""
    from vertical_lightning import report
    from vertical_lightning.loggers import describe, log_hyper_parameters

    print(f"Network\n  {module.network.flow()}\n", flush=True)
    texts = {
        "configuration": OmegaConf.to_yaml(config),
        "topology": report.topology(module.network),
        "leak_statement": report.statements(data.alignments),
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


if __name__ == "__main__":
    main()
