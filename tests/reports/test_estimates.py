"""The numbers of the report's table."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from vertical_lightning.reports.estimate import Estimate, estimate
from vertical_lightning.reports.measure import Measure
from vertical_lightning.reports.natural_sort import natural
from vertical_lightning.reports.trade_off import Point, undominated


def test_three_seeds_by_hand() -> None:
    found = estimate([0.7, 0.8, 0.9])
    assert found is not None and found.half is not None
    assert found.mean == pytest.approx(0.8)
    assert found.half == pytest.approx(4.302653 * 0.1 / math.sqrt(3), rel=1e-6)  # the table's t for 2 degrees of freedom
    assert (found.low, found.high, found.n) == (0.7, 0.9, 3)


@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=30))
def test_interval_is_scipys(values: list[float]) -> None:
    found = estimate(values)
    assert found is not None and found.half is not None
    if found.half > 1e-6:
        low, high = stats.t.interval(0.95, len(values) - 1, loc=found.mean, scale=stats.sem(values))
        assert found.mean - found.half == pytest.approx(low, abs=1e-9)
        assert found.mean + found.half == pytest.approx(high, abs=1e-9)


def test_one_seed_has_no_interval_and_none_no_mean() -> None:
    assert estimate([0.5]) == Estimate(0.5, None, 1, 0.5, 0.5)
    assert estimate([]) is None


@pytest.mark.parametrize(
    ("metric", "lower"),
    [
        *(("test/accuracy", False), ("test/auroc", False), ("psi/intersection", False), ("val/lossless", False)),
        *(("test/loss", True), ("wire/bytes", True), ("wire/bytes/alice->bob", True), ("wire/evaluation_bytes", True)),
        *(("time/fit_seconds", True), ("train/loss_step", True), ("leakage/alice", True), ("leakage", True)),
        *(("test/rmse", True), ("val/mae", True), ("train/rmse_step", True), ("test/r2", False)),
    ],
)
def test_which_way_is_better(metric: str, lower: bool) -> None:
    assert Measure(metric).lower is lower
    assert Measure(metric).better(1, 2) is lower


def test_cuts_sort_as_people_read_them() -> None:
    wanted = ["-1", "1", "2", "10", "25%", "50%", "100%", "[1, fc2]", "[1, fc10]", "conv2", "fc1", "fc2", "fc10", ""]
    mixed = sorted(reversed(wanted), key=natural)
    for kind in (
        ["-1", "1", "2", "10"],
        ["25%", "50%", "100%"],
        ["conv2", "fc1", "fc2", "fc10", ""],
        ["[1, fc2]", "[1, fc10]"],
    ):
        assert [value for value in mixed if value in kind] == kind


PAIRS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=12)


@given(PAIRS, st.sampled_from(["test/accuracy", "test/loss"]))
def test_front_is_what_nothing_beats(pairs: list[tuple[int, int]], metric: str) -> None:
    measure = Measure(metric)
    sign = -1 if measure.lower else 1
    found = [Point("", cost, Estimate(score, None, 1, score, score)) for cost, score in pairs]
    slowly = {
        (cost, score)
        for cost, score in pairs
        if not any(c <= cost and sign * s >= sign * score and (c, s) != (cost, score) for c, s in pairs)
    }
    front = undominated(found, measure)
    assert {(point.cost, point.score.mean) for point in front} == slowly
    assert [point.cost for point in front] == sorted(point.cost for point in front)
