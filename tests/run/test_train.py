"""The main job, whole: what it prints, in which order, and what it leaves in its folder."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from job import SMALL, configuration, run
from main_job import SCALARS
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from vertical_lightning.config.compose import build

JOB = ["topology=dual_headed", "cut=1", "trainer.max_epochs=3", "trainer.log_every_n_steps=2", *SMALL]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, float]]:
    folder = tmp_path_factory.mktemp("run")
    return folder, run(folder, *JOB)


def events(folder: Path) -> EventAccumulator:
    read = EventAccumulator(str(folder), size_guidance={"scalars": 0, "tensors": 0, "images": 0})
    return read.Reload()


def test_metrics_are_flat_and_their_keys_are_the_tags(finished: tuple[Path, dict[str, float]]) -> None:
    folder, metrics = finished
    assert json.loads((folder / "metrics.json").read_text()) == metrics
    assert set(metrics) == SCALARS
    assert SCALARS | {"epoch"} == set(events(folder).Tags()["scalars"])


def test_bytes_are_the_formula(finished: tuple[Path, dict[str, float]]) -> None:
    folder, metrics = finished
    data = build(configuration(folder, *JOB).datamodule)
    data.setup("fit")
    epoch = len(data.splits["train"]) * 128 * 4  # rows × numbers × bytes per number
    for link in ("alice->bob", "bob->alice", "carol->bob", "bob->carol"):
        assert metrics[f"wire/bytes/{link}"] == 3 * epoch
    assert [event.value for event in events(folder).Scalars("wire/bytes")] == [4 * epoch, 8 * epoch, 12 * epoch]
    assert metrics["wire/evaluation_bytes"] == 2 * 128 * 4 * (3 * len(data.splits["val"]) + len(data.splits["test"]))


def test_curves_have_one_point_each_and_none_at_the_end_twice(finished: tuple[Path, dict[str, float]]) -> None:
    read = events(finished[0])
    for tag in ("train/loss", "val/accuracy", "lr/bob", "wire/bytes"):
        assert len(read.Scalars(tag)) == 3, tag
    steps = [event.step for event in read.Scalars("train/loss_step")]
    assert steps == sorted(set(steps)) and len(steps) > 3
    assert len(read.Scalars("test/accuracy")) == 1


def test_hyper_parameters_pictures_and_text(finished: tuple[Path, dict[str, float]]) -> None:
    tags = events(finished[0]).Tags()
    assert {"alignment/before", "alignment/after"} <= set(tags["images"])
    assert "boundary/text_summary" in tags["tensors"]
    hparams = "\n".join((path.read_bytes().decode("utf-8", "ignore")) for path in finished[0].glob("events*"))
    assert "_hparams_/session_start_info" in hparams
    for name in ("architecture.hidden", "partition.axis", "cut"):
        assert name in hparams


def test_checkpoint_opens_without_running_code(finished: tuple[Path, dict[str, float]]) -> None:
    for party in ("alice", "carol", "bob"):
        checkpoint = torch.load(finished[0] / "checkpoints" / "last.ckpt" / f"{party}.ckpt", weights_only=True)
        assert checkpoint["global_step"] == checkpoint["loops"]["fit_loop"]["epoch_loop.batch_progress"]["total"]["completed"]
        assert len(checkpoint["optimizer_states"]) == 1
        assert {name.split(".")[2] for name in checkpoint["state_dict"]} == {party}


def test_metric_less_runs_of_one_seed_are_equal(finished: tuple[Path, dict[str, float]], tmp_path: Path) -> None:
    again = run(tmp_path / "again", *JOB)
    changing = {"psi/seconds", "psi/cache_hit", "time/fit_seconds"}
    assert {k: v for k, v in again.items() if k not in changing} == {k: v for k, v in finished[1].items() if k not in changing}
    other = run(tmp_path / "other", *JOB, "seed=1")
    assert other["train/loss"] != again["train/loss"]


def test_command_from_elsewhere(tmp_path: Path) -> None:
    words = ["trainer.max_epochs=1", "trainer.limit_train_batches=3", "overlap.missing=0.5"]
    command = [sys.executable, "-m", "vertical_lightning.commands.train", *words]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    order = ["Who holds what", "Alignment by private set intersection", "Boundary report", "Results", "tensorboard --logdir"]
    places = [done.stdout.index(title) for title in order]
    assert places == sorted(places)
    folder = Path(done.stdout.split("tensorboard --logdir")[1].strip())
    assert re.fullmatch(r"\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d-\d{6}", folder.name)
    assert folder.parent == tmp_path / "logs" / "runs"
    for part in (".hydra/config.yaml", "metrics.json", "checkpoints/last.ckpt/bob.ckpt"):
        assert (folder / part).is_file()


@pytest.mark.slow
def test_multirun_over_architectures_and_cuts(tmp_path: Path) -> None:
    words = ["architecture=mlp,lenet", "cut=1,2", "overlap.missing=0.9", "trainer.max_epochs=1", "batch_size=16"]
    command = [sys.executable, "-m", "vertical_lightning.commands.train", "-m", *words]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    names = {path.parent.name.split("_", 1)[1] for path in tmp_path.glob("logs/sweeps/*/*/metrics.json")}
    assert names == {f"architecture={a},cut={c}" for a in ("mlp", "lenet") for c in (1, 2)}, "what was swept, and no more"


@pytest.mark.parametrize("set_by", ["srun", pytest.param("torchrun", marks=pytest.mark.slow)])
def test_whoever_starts_it_loggers_write(set_by: str, tmp_path: Path) -> None:
    """Task 1 of srun, and rank 1 of torchrun, are helpers to Lightning, and write nothing."""
    variables = {
        "srun": {"SLURM_PROCID": "1", "SLURM_NTASKS": "2", "SLURM_LOCALID": "1", "SLURM_NODEID": "0", "SLURM_JOB_NAME": "x"},
        "torchrun": {"RANK": "1", "LOCAL_RANK": "1", "WORLD_SIZE": "2", "TORCHELASTIC_RUN_ID": "x"},
    }
    words = ["data=synthetic", "trainer.max_epochs=1", "trainer.accelerator=cpu", "architecture=tabular", "hydra.run.dir=run"]
    command = [sys.executable, "-m", "vertical_lightning.commands.train", *words]
    environment = {**os.environ, **variables[set_by]}
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, env=environment)
    assert done.returncode == 0, done.stderr
    assert {"val/loss", "test/accuracy"} <= set(events(tmp_path / "run").Tags()["scalars"])
    assert (tmp_path / "run" / "checkpoints" / "last.ckpt" / "bob.ckpt").is_file()
