"""What the report's pictures are drawn from."""

from __future__ import annotations

import math
from itertools import product
from pathlib import Path
from urllib.parse import unquote

import pandas as pd
import pytest
from sweep_folder import job, sweep

from vertical_lightning.reports.curves import Curve, bundles, read_curves
from vertical_lightning.reports.group import rank
from vertical_lightning.reports.importance import importances
from vertical_lightning.reports.links import links
from vertical_lightning.reports.measure import Measure
from vertical_lightning.reports.parallel import lines
from vertical_lightning.reports.study import Study, gather

ACCURACY = Measure("test/accuracy")


def study(folder: Path, swept: dict[str, list[float]], accuracy: dict[tuple[float, ...], float]) -> Study:
    """A grid's folder, read."""
    made = sweep(folder, tuple(swept))
    for number, values in enumerate(product(*swept.values())):
        job(made, number, dict(zip(swept, values, strict=True)), {"test/accuracy": accuracy[values], "wire/bytes": 1 + number})
    return gather([made])


def test_importance_by_hand(tmp_path: Path) -> None:
    found = importances(
        study(tmp_path / "sweep", {"cut": [1, 2], "seed": [0, 1]}, {(1, 0): 0.0, (1, 1): 0.1, (2, 0): 0.2, (2, 1): 0.3}),
        "test/accuracy",
    )
    # In all 0.05; within cuts 0.01 with 2 degrees of freedom, within seeds 0.04: less than chance would leave.
    assert list(found) == ["cut", "seed"]
    assert found["cut"] == pytest.approx(1 - (0.01 / 2) / (0.05 / 3))
    assert found["seed"] == 0


def test_importance_of_what_decides_all_is_one_and_what_decides_nothing_is_none(tmp_path: Path) -> None:
    grid = list(product([1, 2, 3], [32, 64], [0, 1]))
    found = importances(
        study(
            tmp_path / "sweep", {"cut": [1, 2, 3], "batch_size": [32, 64], "seed": [0, 1]}, {one: one[0] / 10 for one in grid}
        ),
        "test/accuracy",
    )
    assert found == {"cut": pytest.approx(1), "batch_size": 0, "seed": 0}


def test_a_search_over_numbers_is_judged_by_their_size(tmp_path: Path) -> None:
    rates = [10.0**-power for power in range(1, 13)]
    made = sweep(tmp_path / "sweep", ("lr", "width"))
    for number, rate in enumerate(rates):
        job(made, number, {"lr": rate, "width": 100 + number * 7 % 12}, {"test/accuracy": 0.9 - 0.01 * number})
    found = importances(gather([made]), "test/accuracy")
    assert found["lr"] > 0.8 > 0.2 > found["width"]


def test_nothing_is_important_where_nothing_differs(tmp_path: Path) -> None:
    one = study(tmp_path / "sweep", {"cut": [1, 2], "seed": [0, 1]}, dict.fromkeys(product([1, 2], [0, 1]), 0.5))
    assert importances(one, "test/accuracy") == {}


def test_parallel_coordinates_run_through_keys_costs_and_score(tmp_path: Path) -> None:
    accuracy = {(1, 2): 0.5, (1, 10): 0.7, (2, 2): 0.6, (2, 10): 0.9}
    jobs, scales = lines(
        study(tmp_path / "sweep", {"cut": [1, 2], "width": [2, 10]}, accuracy), ACCURACY, [Measure("wire/bytes")]
    )
    assert [one.metrics["test/accuracy"] for one in jobs] == [0.5, 0.6, 0.7, 0.9], "the best is drawn last"
    assert [scale.title for scale in scales] == ["cut", "width", "wire/bytes, MB", "test/accuracy"]
    assert [text for _, text in scales[1].ticks] == ["2", "10"], "by size, not by letters"
    assert list(scales[-1].places) == pytest.approx([0, 0.25, 0.5, 1])
    assert list(scales[2].places) == pytest.approx([0, 2 / 3, 1 / 3, 1])


def test_parallel_coordinates_need_two_keys(tmp_path: Path) -> None:
    one = study(tmp_path / "sweep", {"cut": [1, 2], "seed": [0, 1]}, dict.fromkeys(product([1, 2], [0, 1]), 0.5))
    assert lines(one, ACCURACY, []) == ([], [])


def curve(label: str, *means: float) -> Curve:
    """A curve without seeds."""
    return Curve(label, False, pd.DataFrame({"mean": means, "half": 0.0}, index=range(1, len(means) + 1)))


def test_curves_that_hide_one_another_are_a_bundle() -> None:
    found = bundles(
        [curve("a", 0.1, 0.9), curve("b", 0.1, 0.5), curve("c", 0.1, 0.9), curve("d", 0.101, 0.899), curve("e", 0.1)]
    )
    assert found == [(0, 3), (0, 1), (1, 3), (2, 3), (0, 1)]


def test_a_curves_band_is_the_tables_interval(tmp_path: Path) -> None:
    from sweep_folder import curve as log

    made = sweep(tmp_path / "sweep", ("cut", "seed"))
    for seed, value in enumerate([0.5, 0.6]):
        log(job(made, seed, {"cut": 1, "seed": seed}, {"test/accuracy": value}), [0.1, value], "val/accuracy")
    gathered = gather([made])
    _, [found] = read_curves(rank(gathered), ["cut"], "test/accuracy")
    # Two values 0.1 apart: t for one degree of freedom is 12.706.
    assert found.epochs.loc[2].tolist() == pytest.approx([0.55, 12.706 * 0.05], rel=1e-4)
    estimate = rank(gathered)[0].estimate("test/accuracy")
    assert (
        estimate is not None
        and estimate.half is not None
        and math.isclose(found.epochs.loc[2, "half"], estimate.half, rel_tol=1e-6)
    )


def test_links_lead_to_folders_from_wherever_the_page_lies(tmp_path: Path) -> None:
    made = sweep(tmp_path / "the sweep", ("cut", "seed"))
    folder = job(made, 0, {"cut": 1, "seed": 3}, {"test/accuracy": 0.5})
    [one] = gather([made]).jobs
    for into in (made, tmp_path, tmp_path / "elsewhere" / "deep"):
        [link] = links([one], into)
        assert link.label == "seed=3"
        assert (into / unquote(link.folder)).resolve() == folder.resolve()
        assert not set(link.folder) & set(' "<>?#')
    assert "runFilter=%5E0_cut%3D1%2Cseed%3D3" in link.tensorboard
