"""A sweep, whole: which jobs it runs, how they end, and what it leaves."""

from __future__ import annotations

import json
import subprocess
from contextlib import nullcontext
from itertools import product
from pathlib import Path

import pytest
from job import configuration
from sweeps import jobs, sweep
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from vertical_lightning.split.cut import IllegalCutError, every, resolve
from vertical_lightning.sweep.job import key
from vertical_lightning.sweep.provenance import git

WORDS = [
    "architecture=mlp,lenet",
    "cut=conv1,75%",
    "merge=concat,stitch",
    "hydra.sweep.dir=logs/sweeps/one",
    "psi.cache_folder=cache",
]
BASELINES = ["sweep.baselines=[centralized,alice]"]


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    folder = tmp_path_factory.mktemp("swept")
    done = sweep(folder, *WORDS, *BASELINES)
    return folder / "logs" / "sweeps" / "one", done


def test_a_cut_that_is_not_there_is_skipped_and_a_failure_does_not_end_the_sweep(
    swept: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    folder, done = swept
    states = {name: job["state"] for name, job in jobs(folder).items()}
    mlp, lenet = (f"architecture={name},cut={{}},merge={{}}".format for name in ("mlp", "lenet"))
    assert {states[mlp("conv1", merge)] for merge in ("concat", "stitch")} == {"skipped"}
    assert states[mlp("75%", "stitch")] == states[lenet("75%", "stitch")] == "failed"
    completed = [mlp("75%", "concat"), lenet("conv1", "concat"), lenet("conv1", "stitch"), lenet("75%", "concat")]
    assert {states[name] for name in completed} == {"completed"}
    reasons = {name: job["reason"] for name, job in jobs(folder).items()}
    assert "legal cuts: 1 (fc1), 2 (fc2)" in reasons[mlp("conv1", "concat")]
    assert "needs feature maps" in reasons[mlp("75%", "stitch")]
    assert reasons[mlp("75%", "stitch")] in done.stderr, "the reason shows at once"
    [error] = folder.glob(f"*_{mlp('75%', 'stitch')}/error.txt")
    assert "Traceback" in error.read_text()
    assert done.returncode == 1, "somebody must be told"


def test_baselines_run_once_for_all_cuts_and_merges(swept: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    folder, _ = swept
    baselines = {name: job for name, job in jobs(folder).items() if "cut=null" in name}
    assert len(baselines) == 2 * 2
    for job in baselines.values():
        assert job["state"] == "completed"
        assert set(job["swept"]) == {"architecture", "baseline"}
        assert job["parameters"]["topology.owners"] == "[]"
    assert {job["parameters"]["baseline"] for job in baselines.values()} == {"alice", "centralized"}
    for path in folder.glob("*cut=null*/metrics.json"):
        assert json.loads(path.read_text())["wire/bytes"] == 0


def test_a_sweep_aligns_once(swept: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    folder, _ = swept
    found = [json.loads(path.read_text())["psi/cache_hit"] for path in folder.glob("*/metrics.json")]
    assert len(found) > 4
    assert sorted(found) == [0.0] + [1.0] * (len(found) - 1)
    assert (
        f"alignment: computed by 1 of {len(found)} jobs, the others read it from the cache"
        in (folder / "summary.md").read_text()
    )


def test_what_the_study_is_about(swept: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    study = json.loads((swept[0] / "study.json").read_text())
    assert study["swept"] == ["architecture", "cut", "merge"]
    assert study["objective"] == []
    assert "architecture=mlp,lenet" in study["command"]
    assert study["versions"]["torch"]
    assert study["commit"] == git()[0]


def test_hyper_parameters_are_those_swept(swept: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    folder = next(swept[0].glob("*architecture=lenet,cut=conv1,merge=stitch"))
    events = b"".join(path.read_bytes() for path in folder.glob("events*"))
    assert b"_hparams_/session_start_info" in events
    read = EventAccumulator(str(folder)).Reload()
    start = read.summary_metadata["_hparams_/session_start_info"].plugin_data.content
    assert b"conv1" in start
    assert b"batch_size" not in start


@pytest.mark.parametrize(("given", "number"), [("25%", 1), ("50%", 3), ("75%", 4), ("99%", 4), ("1%", 1), ("40.5%", 2)])
def test_cuts_as_fractions(given: str, number: int) -> None:
    assert resolve(given, ["conv1", "conv2", "fc1", "fc2", "head"], 1) == [number]


@pytest.mark.parametrize("given", ["0%", "100%", "150%", "-5%", "%", "x%"])
def test_fractions_that_are_none(given: str) -> None:
    with pytest.raises(IllegalCutError, match="legal cuts"):
        resolve(given, ["conv1", "conv2", "head"], 1)


@pytest.mark.slow
def test_values_that_no_folder_can_be_called(tmp_path: Path) -> None:
    done = sweep(tmp_path, "+data.root=a/b,c/d", "cut=1", "trainer.limit_train_batches=1", "hydra.sweep.dir=one")
    assert done.returncode == 0, done.stderr
    assert sorted(jobs(tmp_path / "one")) == ["+data.root=a_b", "+data.root=c_d"]


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4])
def test_every_cut_is_legal_and_there_is_no_other(count: int) -> None:
    stages = ["conv1", "conv2", "fc1", "head"]
    found = every(stages, count)
    for cuts in product(range(6), repeat=count):
        accepted = cuts in found
        with nullcontext() if accepted else pytest.raises(IllegalCutError):
            assert resolve(list(cuts) or None, stages, count) == list(cuts)


def test_every_cut_needs_a_sweep() -> None:
    with pytest.raises(IllegalCutError, match="vl-train -m"):
        resolve("all", ["conv1", "conv2", "head"], 1)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (["seed=1"], ["seed=1"], True),
        (["cut=1"], ["cut=2"], False),
        (["trainer.max_epochs=1"], ["trainer.max_epochs=2"], False),
        (["+trainer.deterministic=true"], [], False),
        (["sweep.resume=true", "objective=val/loss"], [], True),
        (["data.root=elsewhere"], [], False),
    ],
)
def test_jobs_are_known_by_their_whole_configuration(one: list[str], other: list[str], same: bool, tmp_path: Path) -> None:
    ours = configuration(tmp_path / "one", "data=mnist", *one)
    theirs = configuration(tmp_path / "other", "data=mnist", *other)
    assert (key(ours) == key(theirs)) is same


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["hydra/launcher=slum"], ["slum", "basic"]),
        (["optimizer.lr=interval(0,1)"], ["give some, such as optimizer.lr=0.1,0.2", "hydra/sweeper=optuna"]),
        (["no_such_key=1,2"], ["no_such_key"]),
        (["cut=1,2", "objective=[1]"], ["names no metric"]),
        (["cut=1,2", "sweep.baselines=true"], ["sweep.baselines=True names none: give centralized"]),
        (["cut=1,2", "objective=val/acuracy"], ["objective=val/acuracy is no metric", "val/accuracy"]),
        (["experiment=pyvertical,split_points"], ["split_points carries its own sweep"]),
    ],
)
def test_a_sweep_that_cannot_begin_says_why(words: list[str], said: list[str], tmp_path: Path) -> None:
    done = sweep(tmp_path, *words)
    assert done.returncode != 0
    assert all(piece in done.stderr for piece in said), done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.glob("logs/sweeps/*/*/job.json"))
