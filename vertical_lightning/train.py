"""The command `vl-train`: a Hydra configuration becomes a data module, a split module and a Trainer.

Torch and Lightning take seconds to import, so `main` imports them: `--help`, `--cfg job` and completion answer at once.
"""

from __future__ import annotations

import os
import sys
import time
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from vertical_lightning.configuration import build, config_folder, open_parties, sentences
from vertical_lightning.parameters import hyper_parameters
from vertical_lightning.per_party import check_parties
from vertical_lightning.sweep import extras, folder_name, grid_sweeper, job, threads

if TYPE_CHECKING:
    import pytorch_lightning as pl

    from vertical_lightning.data.datamodule import VerticalDataModule
    from vertical_lightning.schema import Architecture
    from vertical_lightning.split_module import SplitModule


folder_name.register()  # here, because a launcher's workers import this module without calling main


def main() -> None:
    """Run the command line."""
    sys.argv[1:] = open_parties(sys.argv[1:])
    extras.check(sys.argv[1:])
    grid_sweeper.register()
    run()


@hydra.main(version_base="1.3", config_path=config_folder(), config_name="train")
def run(config: DictConfig) -> float | tuple[float | None, ...] | None:
    """Train, test, report; return what a search is to optimize, None where there is no such metric."""
    in_sweep = HydraConfig.get().mode == RunMode.MULTIRUN
    if config.trainer.accelerator == "cpu" and not (in_sweep and "trainer.accelerator" in job.swept(config)):
        # Before torch is imported. With a CUDA build of torch and no GPU every Adam step would ask the driver first (0.1 ms).
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
    warnings.filterwarnings("ignore", message=".*LeafSpec.*")  # Lightning 2.6 with torch 2.15
    with sentences():
        metrics = job.run(config, train) if in_sweep else train(config)
        return objective(config, metrics)


def objective(config: DictConfig, metrics: Mapping[str, float]) -> float | tuple[float | None, ...] | None:
    """Return what a search is to optimize; None for a job without metrics, or where nobody asked."""
    names = [config.objective] if isinstance(config.objective, str) else list(config.objective)
    unknown = [name for name in names if metrics and name not in metrics]
    if unknown and "direction" in HydraConfig.get().sweeper:
        raise ValueError(
            f"objective={', '.join(unknown)} is no metric of this run; its metrics are {', '.join(sorted(metrics))}."
        )
    values = tuple(metrics.get(name) for name in names)
    return values[0] if isinstance(config.objective, str) else values


def train(config: DictConfig, compared: Mapping[str, str | float] | None = None) -> dict[str, float]:
    """Run one experiment from its configuration, leave its record in `config.folder`, and return its metrics.

    Args:
        config: The whole configuration.
        compared: The hyper-parameters that TensorBoard compares runs by; None for all that can make runs differ.
    """
    import pytorch_lightning as pl

    from vertical_lightning import report
    from vertical_lightning.record import record
    from vertical_lightning.topologies.cut import resolve

    check_settings(config)
    threads.use(config.threads)
    pl.seed_everything(config.seed, verbose=False)
    architecture = build(config.architecture)
    resolve(build(config.cut), list(architecture.stages(1)), len(config.topology.owners))  # before PSI takes its time
    trainer: pl.Trainer = build(config.trainer)(
        logger=list(build(config.get("logger") or {}).values()), callbacks=list(build(config.get("callbacks") or {}).values())
    )

    data = align(config)
    module = build_module(config, architecture, data)
    introduce(config, module, data, trainer)
    curves, seconds = fit_and_test(trainer, module, data, config.ckpt_path)
    ends = {**report.alignment_metrics(data.alignments), **report.wire_metrics(module), "time/fit_seconds": seconds}

    metrics = curves | ends
    record(metrics, curves, config, trainer, hyper_parameters(config) if compared is None else compared)
    Path(config.folder, "alignment.txt").write_text(report.alignment(data.alignments))
    print(report.results(metrics, config.folder), flush=True)
    return metrics


def align(config: DictConfig) -> VerticalDataModule:
    """Load, align and scale, and say who holds and learned what."""
    from vertical_lightning import report
    from vertical_lightning.memory import recall, remember

    data = recall(config.datamodule)
    data.load()
    print(report.holdings(data.tables), flush=True)
    remember(config.datamodule, data)
    data.align()
    print(report.alignment(data.alignments), flush=True)
    data.setup("fit")
    return data


def check_settings(config: DictConfig) -> None:
    """Refuse settings that would only fail, or mislead, after alignment has taken its time."""
    from vertical_lightning.split_module import check_precision

    check_precision(config.trainer.precision)  # on a CPU Lightning would turn fp16 into bf16 before the module sees it
    if not isinstance(config.seed, int):
        raise ValueError(f"seed={config.seed} is no integer; a run without a seed cannot be repeated.")
    if not isinstance(config.batch_size, int) or config.batch_size < 1:
        raise ValueError(f"batch_size={config.batch_size} is no number of rows; give an integer from 1 to the aligned rows.")
    if config.ckpt_path and not Path(config.ckpt_path).is_file():
        raise ValueError(f"ckpt_path={config.ckpt_path} is no file; a run's checkpoints lie in its folder's checkpoints/.")
    if config.threads is not None and (not isinstance(config.threads, int) or config.threads < 1):
        raise ValueError(f"threads={config.threads} is no number of threads; give an integer from 1, or null for all cores.")
    if config.trainer.devices not in (1, "1", "auto"):
        raise ValueError(f"trainer.devices={config.trainer.devices} is not supported yet: all parties train on one device.")


def build_module(config: DictConfig, architecture: Architecture, data: VerticalDataModule) -> SplitModule:
    """Build the network for the shapes that the parties hold, and the module that trains it."""
    from vertical_lightning.split_module import SplitModule

    network = build(config.topology)(architecture, data.shapes, data.task.outputs, merge=build(config.merge))
    parties = list(network.parties)
    return SplitModule(
        network,
        optimizer=by_party(config.optimizer, parties),
        scheduler=by_party(config.scheduler, parties),
        clip_norm=build(config.clip_norm),
        task=data.task,
    )


def by_party(choice: DictConfig, parties: Sequence[str]) -> dict[str, Any]:
    """Build a choice for every party, with the party's own differences (`choice.parties.NAME.…`) laid over it."""
    differences = choice.get("parties") or {}
    check_parties("a setting of its own", differences, parties)
    common = {key: value for key, value in choice.items() if key != "parties"}
    made = {party: build(OmegaConf.merge(common, differences.get(party, {}))) for party in parties}
    return {party: one for party, one in made.items() if one}


def introduce(config: DictConfig, module: SplitModule, data: VerticalDataModule, trainer: pl.Trainer) -> None:
    """Print the network; show in TensorBoard what was asked for, who runs what, and who learned what."""
    from vertical_lightning import report
    from vertical_lightning.tensorboards import describe

    print(f"Network\n  {module.network.flow()}\n", flush=True)
    texts = {
        "configuration": OmegaConf.to_yaml(config),
        "topology": report.topology(module.network),
        "leak_statement": report.statements(data.alignments),
    }
    describe(texts, trainer)


def fit_and_test(
    trainer: pl.Trainer, module: SplitModule, data: VerticalDataModule, ckpt_path: str | None
) -> tuple[dict[str, float], float]:
    """Return all metrics that were logged, as they ended, and the seconds of fit."""
    started = time.perf_counter()
    trainer.fit(module, datamodule=data, ckpt_path=ckpt_path)
    curves, seconds = values(trainer), time.perf_counter() - started
    if len(data.splits["test"]):
        trainer.test(module, datamodule=data, verbose=False)
        curves |= values(trainer)
    return curves, seconds


def values(trainer: pl.Trainer) -> dict[str, float]:
    """Read what was logged since the trainer last started."""
    return {name: float(value) for name, value in trainer.callback_metrics.items()}


if __name__ == "__main__":
    main()
