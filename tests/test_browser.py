"""A small sweep's TensorBoard and report as their reader sees them: every page shows what was logged."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from browser import await_text, needs_chromium, opened, tensorboard, text_of
from sweeps import sweep as run_sweep

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, needs_chromium]
JOB = ["cut=1,2", "trainer.max_epochs=3", "trainer.log_every_n_steps=2", "optimizer.lr=0.0001", "seed=0"]
"""Learns slowly, so that there are mistakes to show."""
CUTS = {"0_cut=1": 1, "1_cut=2": 2}
LINKS = ["alice->bob", "bob->alice", "carol->bob", "bob->carol"]


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, dict[str, float]]]:
    logs = tmp_path_factory.mktemp("sweep")
    done = run_sweep(logs, *JOB, f"hydra.sweep.dir={logs}")
    assert done.returncode == 0, done.stderr
    return logs, {name: json.loads((logs / name / "metrics.json").read_text()) for name in CUTS}


@pytest.fixture(scope="module")
def address(sweep: tuple[Path, dict[str, dict[str, float]]]) -> Iterator[str]:
    with tensorboard(sweep[0]) as served:
        yield served


@pytest.fixture
def page() -> Iterator[Page]:
    with opened() as empty:
        yield empty


def test_scalars(page: Page, address: str) -> None:
    page.goto(f"{address}#scalars&tagFilter=train%7Cval%2F%7C%3E")
    tags = [f"{phase}/{name}" for phase, name in product(("train", "val"), ("loss", "accuracy"))]
    await_text(page, *CUTS, *tags, "train/loss_step", *(f"wire/bytes/{link}" for link in LINKS), "embedding_norm/alice->bob")


def test_images(page: Page, address: str) -> None:
    page.goto(f"{address}#images")
    shown = {"alignment/before": 1, "alignment/after": 1, "test/confusion_matrix": len(CUTS), "test/mistakes": len(CUTS)}
    text = await_text(page, *shown, *CUTS, "alignment/0_cut=1")
    assert all(text.split("\n").count(tag) >= count for tag, count in shown.items()), text
    loaded = "all => all.filter(image => image.naturalWidth > 300).length"
    for _ in range(300):
        if (count := page.locator("img").evaluate_all(loaded)) == sum(shown.values()):
            break
        page.wait_for_timeout(200)
    assert count == sum(shown.values())


def test_hyper_parameters(page: Page, address: str, sweep: tuple[Path, dict[str, dict[str, float]]]) -> None:
    page.goto(f"{address}#hparams")
    shown = await_text(page, "cut", "test/accuracy", *CUTS).split("\n")
    assert not {"batch_size", "seed", "architecture"} & set(shown), "only what was swept"
    columns = ["cut", "test/accuracy", "test/loss", "val/accuracy", "val/loss", "wire/bytes"]
    assert [line for line in shown[shown.index("Trial ID") :] if line in columns] == columns
    for name, metrics in sweep[1].items():
        row = shown[shown.index(name, shown.index("Trial ID")) :][:12]
        assert str(CUTS[name]) in row, row
        assert f"{metrics['test/accuracy']:#.5g}" in row, row


def test_custom_scalars(page: Page, address: str) -> None:
    page.goto(f"{address}#custom_scalars")
    charts = ["loss", "accuracy", "bytes per link", "gradient norm per party"]
    await_text(page, "Learning", "Wire", "Parties", *charts, "Matches (8)")
    for unfold in page.locator(".toggle-matches-button").all():
        unfold.click()
    curves = [f"wire/bytes/{link}" for link in LINKS] + [f"gradient_norm/{party}" for party in ("alice", "carol", "bob")]
    expected = {f"{curve} ({name})" for curve, name in product(curves, CUTS)}
    runs = [f"{name}/{phase}" for name, phase in product(CUTS, ("train", "val"))]
    expected |= {f"epoch/{score} ({run})" for score, run in product(("loss", "accuracy"), runs)}
    shown = set(await_text(page, *expected).split("\n"))
    assert {line for line in shown if line.endswith(tuple(f"({name})" for name in [*CUTS, *runs]))} == expected


def test_text(page: Page, address: str) -> None:
    page.goto(f"{address}#text&tagFilter=text_summary")
    tags = [f"{name}/text_summary" for name in ("boundary", "configuration", "leak_statement", "topology")]
    shown = await_text(page, *tags, "batch_size: 32", "semi-honest", "logits, loss")
    for drawn in ("carol: fc1 ─►┴─ bob: merge fc2 head", "carol: fc1 fc2 ─►┴─ bob: merge head"):
        assert drawn in shown
    assert "```" not in text_of(page)


def test_report(page: Page, sweep: tuple[Path, dict[str, dict[str, float]]]) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto((sweep[0] / "report.html").as_uri())
    best = max(sweep[1], key=lambda name: sweep[1][name]["val/accuracy"])
    accuracies = [f"{metrics['test/accuracy']:.4f}" for metrics in sweep[1].values()]
    shown = await_text(page, "2 jobs: 2 completed", f"Best: cut={CUTS[best]}", "cut=1,2", *accuracies)
    for title in (
        "Results",
        "val/accuracy against bytes on the wire",
        "val/accuracy against leakage",
        "val/accuracy by epoch",
    ):
        assert title in shown
    assert page.locator("svg").count() == 3
    assert len(asked) == 1, "the page stands alone"


def test_a_click_on_a_heading_sorts_the_report(page: Page, sweep: tuple[Path, dict[str, dict[str, float]]]) -> None:
    page.goto((sweep[0] / "report.html").as_uri())
    for metric, sign in (("wire/bytes, MB", 1), ("test/accuracy", -1), ("val/loss", 1)):
        values = {str(CUTS[name]): sign * metrics[metric.split(",")[0]] for name, metrics in sweep[1].items()}
        best_first = sorted(values, key=values.__getitem__)
        for order in (best_first, best_first[::-1]):
            page.get_by_role("button", name=metric, exact=True).click()
            assert page.locator("tbody tr td:first-child").all_inner_texts() == order


def test_the_report_leads_to_each_jobs_folder(page: Page, sweep: tuple[Path, dict[str, dict[str, float]]]) -> None:
    page.goto((sweep[0] / "report.html").as_uri())
    for number in range(len(CUTS)):
        page.locator("tbody summary").nth(number).click()
    leads = [link.get_attribute("href") or "" for link in page.locator(".job > a").all()]
    page.locator(".job > a").first.click()
    assert "metrics.json" in await_text(page, "metrics.json")
    assert len(leads) == len(CUTS)
