"""The published results, measured again on the full data set, within the bars of their studies."""

from __future__ import annotations

import os
from pathlib import Path
from statistics import mean

import pytest
from job import run
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif("VL_DATA" not in os.environ, reason="VL_DATA does not say where the full MNIST lies"),
]

QUIET = "callbacks.progress_bar.refresh_rate=0"


def curve(folder: Path, tag: str) -> list[float]:
    read = EventAccumulator(str(folder), size_guidance={"scalars": 0}).Reload()
    return [event.value for event in read.Scalars(tag)]


def test_pyvertical(tmp_path: Path) -> None:
    metrics = run(tmp_path, "experiment=pyvertical", QUIET)
    accuracy, loss = curve(tmp_path, "train/accuracy"), curve(tmp_path, "train/loss")
    assert accuracy[0] == pytest.approx(0.7283, abs=0.04)  # a single draw of weights; the study's bar is on three
    assert accuracy[1:] == pytest.approx([0.8917, 0.9095, 0.9198], abs=0.003)
    assert loss[1:] == pytest.approx([0.385, 0.317, 0.281], abs=0.005)
    assert metrics["wire/bytes"] == 4 * 307_200_000
    assert metrics["psi/intersection"] == 60_000


@pytest.mark.parametrize(
    ("experiment", "seeds", "train", "test"),
    # The first lies at the edge of its bar with one draw of weights; the bar is on three.
    [("pyvertical_dual", (0, 1, 2), 0.985, 0.952), ("pyvertical_dual_frozen", (0,), 0.9698, 0.9362)],
)
def test_pyvertical_dual(experiment: str, seeds: tuple[int, ...], train: float, test: float, tmp_path: Path) -> None:
    runs = [run(tmp_path / str(seed), f"experiment={experiment}", f"seed={seed}", QUIET) for seed in seeds]
    assert mean(metrics["train/accuracy"] for metrics in runs) == pytest.approx(train, abs=0.003)
    assert mean(metrics["test/accuracy"] for metrics in runs) == pytest.approx(test, abs=0.005)
    assert all(metrics["wire/bytes"] == 30 * 25_600_000 for metrics in runs)
