"""The headline recommends what costs least of all that cannot be told from the best."""

from __future__ import annotations

from pathlib import Path

import pytest
from sweep_folder import job, sweep

from vertical_lightning.reports.estimate import estimate
from vertical_lightning.reports.group import Group
from vertical_lightning.reports.heat_map import chance, draw_heat_map, means
from vertical_lightning.reports.job import Job
from vertical_lightning.reports.measure import Measure
from vertical_lightning.reports.standing import standing, told_apart
from vertical_lightning.reports.study import gather
from vertical_lightning.reports.writing import write

METRIC = "val/accuracy"


def group(name: str, scores: list[float], cost: float = 1.0, leakage: float = 0.5, seeds: list[str] | None = None) -> Group:
    seeds = seeds or [str(seed) for seed in range(len(scores))]
    jobs = [
        Job(Path(name), "completed", "", "", {"seed": seed}, {}, {METRIC: score, "wire/bytes": cost, "leakage": leakage}, 1.0)
        for seed, score in zip(seeds, scores, strict=True)
    ]
    return Group("", {"cut": name}, jobs)


def test_pairs_tell_apart_what_intervals_do_not() -> None:
    one, other = group("1", [0.70, 0.80, 0.90]), group("2", [0.69, 0.79, 0.891])
    found = [estimate([job.metrics[METRIC] for job in each.jobs]) for each in (one, other)]
    assert found[0] and found[1] and found[0].half and abs(found[0].mean - found[1].mean) < found[0].half
    assert told_apart(one, other, METRIC), "the same seeds differ by a hundredth each time"
    strangers = group("2", [0.69, 0.79, 0.891], seeds=["7", "8", "9"])
    assert not told_apart(one, strangers, METRIC)


def test_equal_scores_are_not_told_apart_and_single_ones_are_by_their_number() -> None:
    assert not told_apart(group("1", [0.9]), group("2", [0.9]), METRIC)
    assert told_apart(group("1", [0.9]), group("2", [0.8]), METRIC)
    assert not told_apart(group("1", [0.9, 0.9]), group("2", [0.9, 0.9]), METRIC)


@pytest.mark.parametrize(
    ("costs", "leakages", "chosen", "reason"),
    [
        ([14.0, 14.0, 1.0], [0.5, 0.5, 0.4], "3", "sends the fewest bytes"),
        ([1.0, 1.0, 1.0], [0.5, 0.3, 0.4], "2", "leaks least"),
        ([2.0, 1.0, 1.0], [0.1, 0.5, 0.4], "3", "sends the fewest bytes and then leaks least"),
        ([1.0, 1.0, 1.0], [0.5, 0.5, 0.5], "1", ""),
    ],
)
def test_bytes_then_leakage_decide(costs: list[float], leakages: list[float], chosen: str, reason: str) -> None:
    rows = [group(str(number + 1), [0.91, 0.93, 0.90], costs[number], leakages[number]) for number in range(3)]
    found = standing([*rows, group("4", [0.5, 0.52, 0.49], 0.1)], METRIC)
    assert (found.chosen.swept["cut"], found.reason) == (chosen, reason)
    assert len(found.alike) == 2, "cut 4 is worse, whatever it costs"


def test_the_report_says_so(tmp_path: Path) -> None:
    """Cuts 1 to 4 of one score; the last sends a fourteenth and leaks less."""
    made = sweep(tmp_path / "sweep", ("cut", "seed"), objective=[])
    for number, (cut, seed) in enumerate((cut, seed) for cut in (1, 2, 3, 4) for seed in (0, 1, 2)):
        score = 0.90 + 0.01 * ((cut + seed) % 3)
        paid = {"wire/bytes": 14e6 if cut < 4 else 1e6, "leakage/alice": 0.9 - 0.1 * cut}
        job(made, number, {"cut": cut, "seed": seed}, {"val/accuracy": score, "test/accuracy": score - 0.02, **paid})
    report = write([made], tmp_path / "report")
    assert report.best.startswith("Best: cut=4, with val/accuracy 0.9100")
    assert "it cannot be told from cut=1, cut=2 and cut=3 by val/accuracy, and sends the fewest bytes of them" in report.best
    page = report.page.read_text()
    assert page.count('class="number first"') == 4 and "test/accuracy" in page


def test_rows_that_are_one_are_named(tmp_path: Path) -> None:
    """With one feature party neither way to merge changes anything."""
    made = sweep(tmp_path / "sweep", ("merge", "seed"), objective=[])
    for number, (merge, seed) in enumerate((merge, seed) for merge in ("concat", "sum", "max") for seed in (0, 1)):
        score = 0.9 + 0.01 * seed + (0.001 if merge == "max" else 0)
        measured = {"val/accuracy": score, "test/accuracy": score, "wire/bytes": 1e6, "time/fit_seconds": float(number)}
        job(made, number, {"merge": merge, "seed": seed}, measured)
    assert "The same to the last digit: concat = sum. What differs" in write([made], tmp_path / "out").markdown.read_text()


def test_further_metrics_are_shown_and_one_that_is_no_number_is_counted(tmp_path: Path) -> None:
    made = sweep(tmp_path / "sweep", ("cut", "seed"), objective=[], report=["train/accuracy"])
    for number, (cut, seed) in enumerate((cut, seed) for cut in (1, 2) for seed in (0, 1, 2)):
        score = None if (cut, seed) == (1, 1) else 0.9
        job(made, number, {"cut": cut, "seed": seed}, {"val/accuracy": score, "test/accuracy": 0.8, "train/accuracy": 0.7})
    markdown = write([made], tmp_path / "out").markdown.read_text()
    assert all(name in markdown for name in ("val/accuracy", "test/accuracy", "train/accuracy"))
    assert "(2 of 3)" in markdown


def test_cells_within_the_interval_of_the_best_have_its_shade(tmp_path: Path) -> None:
    made = sweep(tmp_path / "sweep", ("cut", "merge", "seed"), objective=[])
    scores = {(1, "sum"): 0.90, (1, "concat"): 0.905, (2, "sum"): 0.60, (2, "concat"): 0.899}
    for number, ((cut, merge), seed) in enumerate((cell, seed) for cell in scores for seed in (0, 1, 2)):
        job(made, number, {"cut": cut, "merge": merge, "seed": seed}, {"val/accuracy": scores[cut, merge] + 0.01 * (seed - 1)})
    study = gather([made])
    table = means(study, "cut", "merge", METRIC)
    expected = estimate([0.895, 0.905, 0.915])
    assert expected and chance(study, table, Measure(METRIC)) == pytest.approx(expected.half)
    assert draw_heat_map(table, Measure(METRIC), half=0.02) != draw_heat_map(table, Measure(METRIC))
