"""Folders become one study, or a sentence that says why not."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path

import pandas as pd
import pytest
from sweep_folder import job, sweep

from vertical_lightning.reports.group import rank
from vertical_lightning.reports.job import read_job
from vertical_lightning.reports.study import gather, tidy
from vertical_lightning.reports.writing import write


def small(folder: Path, seeds: tuple[int, ...] = (0, 1), **differs: object) -> Path:
    made = sweep(folder, ("cut", "seed"), **differs)
    for number, (cut, seed) in enumerate((cut, seed) for cut in (10, 9) for seed in seeds):
        job(made, number, {"cut": cut, "seed": seed}, {"test/accuracy": 0.5 + seed / 10, "wire/bytes": cut * 100})
    return made


def csv(*folders: Path) -> str:
    return tidy(gather(folders)).to_csv(index=False)


def test_one_row_a_job_all_keys_and_all_metrics(tmp_path: Path) -> None:
    made = small(tmp_path / "sweep")
    job(made, 4, {"cut": 11, "seed": 0}, None, state="failed", reason="It broke.")
    job(made, 5, {"cut": 11, "seed": 1}, {"test/auroc": None, "a/b": 3})
    write([made], tmp_path / "into")
    found = pd.read_csv(tmp_path / "into" / "summary.csv")
    assert list(found) == ["state", "reason", "baseline", "cut", "seed", "a/b", "test/accuracy", "wire/bytes"]
    assert list(zip(found["cut"], found["seed"], strict=True)) == [(9, 0), (9, 1), (10, 0), (10, 1), (11, 0), (11, 1)]
    assert list(found["state"]) == ["completed"] * 4 + ["failed", "completed"]
    assert found["reason"][4] == "It broke." and found.loc[4, "a/b":].isna().all()
    assert found["wire/bytes"][0] == 900 and found["a/b"][5] == 3


def test_numbers_are_written_to_the_last_bit(tmp_path: Path) -> None:
    made = sweep(tmp_path / "sweep", ("seed",))
    value = 0.1 + 0.2
    job(made, 0, {"seed": 0}, {"test/accuracy": value, "wire/bytes": 2**53 + 1})
    assert f",{value!r},{2**53 + 1}\n" in csv(made)


def test_order_of_folders_and_jobs_changes_nothing(tmp_path: Path) -> None:
    first = small(tmp_path / "a", (0, 1, 2))
    second = small(tmp_path / "b", (3, 4), started="2026-02-01T00:00:00")
    wanted = csv(first, second)
    assert csv(second, first) == wanted
    folders = [path for path in first.iterdir() if path.is_dir()]
    random.Random(0).shuffle(folders)
    for number, folder in enumerate(folders):
        folder.rename(first / f"{number + 70}_renamed")
    assert csv(second, first) == wanted


def test_a_resumed_sweep_gives_the_same_table(tmp_path: Path) -> None:
    whole, first = small(tmp_path / "whole"), small(tmp_path / "first")
    resumed = tmp_path / "resumed"
    shutil.copytree(first, resumed)
    failed, killed = (next(first.glob(f"{number}_*")) for number in (1, 2))
    told = json.loads((failed / "job.json").read_text())
    (failed / "job.json").write_text(json.dumps(told | {"state": "failed", "reason": "It broke."}))
    (killed / "job.json").unlink()
    assert "It broke." in csv(first) and "interrupted" in csv(first)
    assert csv(first, resumed) == csv(resumed, first) == csv(resumed) == csv(whole)


def test_of_two_completed_the_later_counts(tmp_path: Path) -> None:
    old = sweep(tmp_path / "old", ("seed",), started="2026-01-01T00:00:00")
    new = sweep(tmp_path / "new", ("seed",), started="2026-01-02T00:00:00")
    for folder, value in ((old, 0.25), (new, 0.75)):
        job(folder, 0, {"seed": 0}, {"test/accuracy": value})
    for folders in ((old, new), (new, old)):
        (only,) = gather(folders).jobs
        assert only.metrics["test/accuracy"] == 0.75


def test_a_completed_job_counts_more_than_a_later_failure(tmp_path: Path) -> None:
    old = sweep(tmp_path / "old", ("seed",), started="2026-01-01T00:00:00")
    new = sweep(tmp_path / "new", ("seed",), started="2026-01-02T00:00:00")
    job(old, 0, {"seed": 0}, {"test/accuracy": 0.25})
    job(new, 0, {"seed": 0}, None, state="failed", reason="It broke.")
    assert [one.state for one in gather([new, old]).jobs] == ["completed"]


def test_interrupted_jobs_are_no_error(tmp_path: Path) -> None:
    made = small(tmp_path / "sweep")
    (next(made.glob("0_*")) / "job.json").unlink()
    (next(made.glob("1_*")) / "metrics.json").unlink()
    lost = [one for one in gather([made]).jobs if one.state == "interrupted"]
    assert {tuple(one.swept.items()) for one in lost} == {(("cut", "10"), ("seed", "0")), (("cut", "10"), ("seed", "1"))}
    assert {"no job.json" in one.reason for one in lost} == {True, False}


def test_keys_that_only_one_sweep_swept_are_filled_from_the_other(tmp_path: Path) -> None:
    both = sweep(tmp_path / "both")
    job(both, 0, {"architecture": "mlp", "cut": 1, "seed": 0}, {"test/accuracy": 0.5})
    more = sweep(tmp_path / "more", ("seed",))
    made = job(more, 0, {"seed": 1}, {"test/accuracy": 0.6}, architecture="Mlp", cut=1)
    (made / ".hydra" / "hydra.yaml").write_text("hydra: {runtime: {choices: {architecture: mlp}}}\n")
    assert [dict(one.swept) for one in gather([both, more]).jobs] == [
        {"architecture": "mlp", "cut": "1", "seed": "0"},
        {"architecture": "mlp", "cut": "1", "seed": "1"},
    ]


def test_sweeps_configured_differently_are_not_averaged(tmp_path: Path) -> None:
    short, long = sweep(tmp_path / "short", ("seed",)), sweep(tmp_path / "long", ("seed",))
    job(short, 0, {"seed": 0}, {"test/accuracy": 0.5}, **{"trainer.max_epochs": 1})
    job(short, 1, {"seed": 1}, {"test/accuracy": 0.5}, **{"trainer.max_epochs": 1})
    job(long, 0, {"seed": 0}, {"test/accuracy": 0.9}, **{"trainer.max_epochs": 20, "overlap.seed": 2})
    study = gather([short, long])
    assert list(study.swept) == ["seed", "overlap.seed", "trainer.max_epochs"]
    assert "trainer.max_epochs" in study.varied


@pytest.mark.parametrize(
    ("differs", "said"),
    [
        ({"objective": ["test/auroc"]}, "one ranks by test/accuracy, the other by test/auroc"),
        ({"swept": ["optimizer.lr"]}, "one sweeps cut, seed, the other optimizer.lr"),
        ({}, "one has the data set MnistSample, the other Credit"),
    ],
)
def test_mixed_studies_are_refused(differs: dict[str, object], said: str, tmp_path: Path) -> None:
    first = small(tmp_path / "first")
    other = sweep(tmp_path / "other", **({"swept": ["seed"], "started": "2026-02-01"} | differs))  # type: ignore[arg-type]
    job(other, 0, {"seed": 0}, {"test/accuracy": 0.5}, data="MnistSample" if differs else "Credit")
    with pytest.raises(ValueError, match=said):
        write([other, first], tmp_path / "into")
    assert not (tmp_path / "into").exists()


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "no study.json"),
        ({"notes.txt": "hello"}, "no study.json"),
        ({"study.json": "{"}, "study.json is no JSON"),
        ({"study.json": "[1]"}, "study.json does not say its command, swept, objective, started"),
        ({"study.json": '{"command": "x", "swept": [], "objective": [], "started": ""}'}, "has no jobs yet"),
        (
            {"study.json": '{"command": "x", "swept": [], "objective": [], "started": "", "versions": "x"}'},
            "study.json does not say its versions",
        ),
        ({"inner/study.json": "{}"}, "It has sweeps within; name one or several of them: inner"),
    ],
)
def test_folders_that_are_none_of_ours(files: dict[str, str], said: str, tmp_path: Path) -> None:
    given = tmp_path / "given"
    given.mkdir()
    for name, content in files.items():
        (given / name).parent.mkdir(exist_ok=True)
        (given / name).write_text(content)
    before = sorted(given.rglob("*"))
    with pytest.raises(ValueError, match="given") as error:
        write([given], given)
    assert said in str(error.value) and str(given) in str(error.value)
    assert sorted(given.rglob("*")) == before


@pytest.mark.parametrize(
    "content",
    [
        *("", "[]", '{"state": "done", "swept": {}}', '{"swept": {}}'),
        *('{"state": "failed", "swept": {}, "parameters": [1]}', '{"state": "failed", "swept": {}, "seconds": "x"}'),
    ],
)
def test_a_broken_record_is_named(content: str, tmp_path: Path) -> None:
    (tmp_path / "0_cut=1").mkdir()
    (tmp_path / "0_cut=1" / "job.json").write_text(content)
    with pytest.raises(ValueError, match=r"0_cut=1/job\.json"):
        read_job(tmp_path / "0_cut=1")


def test_missing_objective_falls_back_and_says_so(tmp_path: Path) -> None:
    made = sweep(tmp_path / "sweep", ("seed",), objective=["test/auroc"])
    job(made, 0, {"seed": 0}, {"train/accuracy": 0.5, "val/accuracy": 0.4})
    study = gather([made])
    assert list(study.objectives) == ["val/accuracy"]
    assert study.note == "No job has test/auroc; the report ranks by val/accuracy instead."


def test_folds_are_repetitions_as_seeds_are(tmp_path: Path) -> None:
    """A sweep over folds ends in one row a group; over folds and seeds, too."""
    made = sweep(tmp_path / "sweep", ("cut", "datamodule.fold", "seed"))
    for number, (cut, fold, seed) in enumerate((cut, fold, seed) for cut in (1, 2) for fold in range(3) for seed in (0, 1)):
        swept = {"cut": cut, "datamodule.fold": fold, "seed": seed}
        job(made, number, swept, {"test/accuracy": 0.5 + fold / 10 + seed / 100})
    ranked = rank(gather([made]))
    assert [(dict(group.swept), len(group.jobs)) for group in ranked] == [({"cut": "1"}, 6), ({"cut": "2"}, 6)]
    found = ranked[0].estimate("test/accuracy")
    assert found is not None and found.mean == pytest.approx(0.605)
