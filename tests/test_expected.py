"""What every experiment's yaml expects is what its committed study found, and docs/results.md says so."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "experiments"))

import results  # noqa: E402
from results import Claim  # noqa: E402

CLAIMS = list(results.claims())


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: f"{claim.study}-{claim.metric}")
def test_what_is_expected_was_found(claim: Claim) -> None:
    assert len(claim.found) >= 3, "a number of one seed is no result"
    assert claim.holds, f"{claim.metric} is {results.interval(claim.found)}, and {claim.value} ± {claim.tolerance} is expected"


def test_every_experiment_expects_something() -> None:
    assert {claim.study for claim in CLAIMS} == {path.stem for path in results.EXPERIMENTS.glob("*.yaml")}


def test_every_claim_names_its_source() -> None:
    assert all(claim.source and claim.tolerance >= 0 for claim in CLAIMS)
    assert all(claim.because or claim.verdict == "**reproduced**" for claim in CLAIMS if claim.published is not None)


def test_the_page_is_what_the_script_makes() -> None:
    assert (ROOT / "docs" / "results.md").read_text() == results.page(), "run python experiments/results.py"


@pytest.mark.parametrize(
    ("published", "found", "verdict"),
    [
        (0.9, [0.9, 0.91, 0.89], "**reproduced**"),
        (0.9, [0.95, 0.96, 0.94], "**not reproduced**, because of the weather"),
        (None, [0.95, 0.96, 0.94], "not as expected"),
    ],
)
def test_a_verdict(published: float | None, found: list[float], verdict: str) -> None:
    claim = Claim("study", "test/accuracy", {}, 0.9, 0.01, "somebody", published, "of the weather", found)
    assert claim.verdict == verdict and claim.holds == (verdict == "**reproduced**")


def test_jobs_are_chosen_by_what_they_were_told() -> None:
    row = {"state": "completed", "baseline": "", "architecture": "mlp", "cut": "1"}
    assert results.fits(row, {"cut": 1}, "any") and not results.fits(row, {"cut": 2}, "any")
    assert not results.fits(row | {"baseline": "centralized"}, {"cut": 1}, "any")
    assert results.fits(row | {"baseline": "centralized"}, {"baseline": "centralized"}, "any")
    assert not results.fits(row | {"experiment": "other"}, {}, "any")
