"""One experiment, from what was built to its record: fit, test, and say what came out."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

import pytorch_lightning as pl

from vertical_lightning.config.best import megabytes_of
from vertical_lightning.data.datamodule import VerticalDataModule
from vertical_lightning.run import summary
from vertical_lightning.run.attack import Transcripts, attacked, check_attacks
from vertical_lightning.run.build import Experiment
from vertical_lightning.run.record import record
from vertical_lightning.split.loggers import describe, how_to_look, log_hyper_parameters
from vertical_lightning.split.split_module import SplitModule


def train(run: Experiment, compared: Mapping[str, str | float] | None = None) -> dict[str, float]:
    """Run one experiment, leave its record in its folder, and return its metrics.

    Args:
        run: All that was built.
        compared: The hyper-parameters that TensorBoard compares runs by; None for all that can make runs differ.
    """
    trainer, module, data = run.trainer, run.module, run.data
    check_attacks(run.attacks, module.network, data.task.outputs, run.alone)
    introduce(run)
    transcripts = Transcripts({attack.adversary for attack in run.attacks.values()})
    trainer.callbacks += [transcripts] if run.attacks else []  # type: ignore[attr-defined]
    curves, seconds = fit_and_test(trainer, module, data, run.ckpt_path, run.best)
    ends = {**summary.alignment_metrics(data.alignments), **summary.wire_metrics(module), "time/fit_seconds": seconds}
    metrics = curves | ends | attacked(run.attacks, transcripts, module, data)
    record(metrics, curves, run.folder, trainer, run.hparams if compared is None else compared)
    whole = f"{summary.alignment(data.alignments)}\n{summary.statements(data.alignments)}\n"
    Path(run.folder, "alignment.txt").write_text(whole)
    if (size := megabytes_of(run.folder)) > 0:
        print(f"checkpoints: {size:.1f} MB\n", flush=True)
    print(f"{summary.results(metrics)}\n{how_to_look(trainer.loggers, str(run.folder))}", flush=True)
    return metrics


def introduce(run: Experiment) -> None:
    """Print the network; show in the loggers what was asked for, who runs what, and who learned what."""
    print(f"Network\n  {run.module.network.describe()}\n", flush=True)
    texts = {
        "configuration": run.text,
        "topology": summary.topology(run.module.network),
        "leak_statement": summary.statements(run.data.alignments),
    }
    log_hyper_parameters(run.hparams, run.trainer)
    describe(texts, run.trainer)


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
