"""A sweep draws each alignment once, whoever comes first."""

from __future__ import annotations

from pathlib import Path

import pytest
from sweeps import sweep
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from vertical_lightning.sweep import extras

PICTURES = ["alignment/after", "alignment/before"]


def pictures(folder: Path) -> dict[str, list[str]]:
    """The pictures of alignment in each run that has some, each as often as it is there."""
    found = {}
    for run in sorted({path.parent for path in folder.rglob("events*")}):
        events = EventAccumulator(str(run), size_guidance={"images": 0}).Reload()
        tags = [tag for tag in events.Tags()["images"] for _ in events.Images(tag) if tag.startswith("alignment/")]
        if tags:
            found[str(run.relative_to(folder))] = sorted(tags)
    return found


@pytest.mark.parametrize("launcher", ["basic", pytest.param("joblib", marks=pytest.mark.slow)])
def test_a_sweep_has_each_alignment_once(launcher: str, tmp_path: Path) -> None:
    if launcher != "basic" and not extras.installed(extras.PLUGINS[f"hydra/launcher={launcher}"][0]):
        pytest.skip(f"the extra with hydra/launcher={launcher} is not installed")
    folder = tmp_path / "logs" / "sweeps" / "one"
    words = ["data_seed=0,1", "cut=1,2", "threads=1", f"hydra/launcher={launcher}", f"hydra.sweep.dir={folder}"]
    done = sweep(tmp_path, *words)
    assert done.returncode == 0, done.stderr
    found = pictures(folder)
    assert list(found.values()) == [PICTURES] * 2
    first, second = (Path(run).name for run in found)
    assert "data_seed=0" in first and "data_seed=1" in second
    assert set(found) == {f"alignment/{first}", f"alignment/{second}"}
    assert "4 jobs: 4 completed" in done.stdout, "the pictures' folder is none of a job"
    (folder / first / "job.json").unlink()  # as if it had been interrupted
    done = sweep(tmp_path, *words, "sweep.resume=true")
    assert done.returncode == 0 and done.stdout.count("taken over") == 3, done.stderr
    assert pictures(folder) == found


def test_a_job_killed_while_it_draws_has_drawn_nothing(tmp_path: Path) -> None:
    words = ["cut=1", "hydra.sweep.dir=one", "callbacks.progress_bar.refresh_rate=0"]
    assert sweep(tmp_path, *words).returncode == 0
    [mark] = [path for path in tmp_path.glob("one/alignment/*/*") if "events" not in path.name]
    mark.unlink()
    for path in (tmp_path / "one" / "0" / "job.json", *tmp_path.glob("one/alignment/*/events*")):
        path.unlink()
    assert sweep(tmp_path, *words, "sweep.resume=true").returncode == 0
    assert list(pictures(tmp_path / "one").values()) == [PICTURES]
