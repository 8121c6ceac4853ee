"""The same sweep by every launcher and sweeper that the extras bring."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sweeps import jobs, sweep

from vertical_lightning.config.job_cores import share
from vertical_lightning.split.metric_direction import mode_of
from vertical_lightning.sweep import extras

ONE_AFTER_ANOTHER = "basic"
LAUNCHERS = ["joblib", "ray", "submitit_local"]


def metrics(folder: Path) -> dict[str, float]:
    """Test accuracy of each job."""
    found = {path.parent.name: json.loads(path.read_text()) for path in folder.glob("*/metrics.json")}
    return {name: values["test/accuracy"] for name, values in found.items()}


@pytest.mark.slow
@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_jobs_are_the_same_in_parallel(launcher: str, tmp_path: Path) -> None:
    if not extras.installed(extras.PLUGINS[f"hydra/launcher={launcher}"][0]):
        pytest.skip(f"the extra with hydra/launcher={launcher} is not installed")
    words = ["cut=1,2,9", "threads=1"]
    for name in ("basic", launcher):
        done = sweep(tmp_path, *words, f"hydra/launcher={name}", f"hydra.sweep.dir=logs/sweeps/{name}")
        assert done.returncode == 0, done.stderr
    ours, theirs = (tmp_path / "logs" / "sweeps" / name for name in (launcher, "basic"))
    assert metrics(ours) == metrics(theirs)
    assert len(metrics(ours)) == 2
    assert jobs(ours)["cut=9"]["state"] == "skipped"
    assert (ours / "report.html").is_file()


@pytest.mark.slow
@pytest.mark.skipif(not extras.installed("hydra_optuna_sweeper"), reason="the extra [sweep] is not installed")
def test_a_search_knows_which_way_is_up(tmp_path: Path) -> None:
    words = ["cut=choice(1,2,9)", "hydra/sweeper=optuna", "hydra.sweeper.n_trials=5", "hydra/sweeper/sampler=random"]
    seeded = ["hydra.sweeper.sampler.seed=3", "hydra.sweep.dir=logs/sweeps/one"]
    done = sweep(tmp_path, *words, *seeded, "objective=[val/accuracy,wire/bytes]")
    assert done.returncode == 0, done.stderr
    assert "Directions: ['maximize', 'minimize']" in done.stdout
    assert len(list(tmp_path.glob("logs/sweeps/one/*/job.json"))) == 5
    states = {job["state"] for job in jobs(tmp_path / "logs/sweeps/one").values()}
    assert states == {"completed", "skipped"}, "seed 3 draws both"
    assert (tmp_path / "logs/sweeps/one/report.html").is_file()
    done = sweep(tmp_path, *words, "objective=val/acuracy")
    assert done.returncode != 0
    assert "objective=val/acuracy is no metric of this run" in done.stderr
    assert "Traceback" not in done.stderr


def test_directions() -> None:
    assert [mode_of(name) for name in ("test/accuracy", "test/auroc")] == ["max"] * 2
    assert [mode_of(name) for name in ("test/loss", "wire/bytes", "psi/seconds")] == ["min"] * 3


@pytest.mark.parametrize(("jobs_at_once", "threads"), [(-1, 1), (1, 8), (2, 4), (3, 2), (16, 1), (-4, 1), (-8, 8)])
def test_parallel_jobs_share_the_cores(jobs_at_once: int, threads: int) -> None:
    launcher = {"_target_": "hydra_plugins.hydra_joblib_launcher.joblib_launcher.JoblibLauncher", "n_jobs": jobs_at_once}
    assert share(launcher, 8) == threads


@pytest.mark.parametrize("word", extras.PLUGINS)
def test_a_missing_extra_is_named(word: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extras, "installed", lambda plugin: False)
    with pytest.raises(SystemExit, match=rf"vertical_lightning\[{extras.PLUGINS[word][1]}\]"):
        extras.check(["-m", "cut=1,2", word])
    extras.check(["-m", "cut=1,2"])


def test_the_names_of_extras_are_those_of_setup(pytestconfig: pytest.Config) -> None:
    setup = (pytestconfig.rootpath / "setup.cfg").read_text()
    for plugin, extra in extras.PLUGINS.values():
        section = setup.split(f"\n{extra} =\n")[1].split("\n\n")[0]
        assert plugin.replace("_", "-") in section
