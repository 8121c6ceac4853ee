"""A small sweep's TensorBoard as its reader sees it: every page shows what was logged."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from browser import await_text, needs_chromium, opened, tensorboard, text_of
from job import SMALL, run

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, needs_chromium]
JOB = ["topology=dual_headed", "trainer.max_epochs=3", "trainer.log_every_n_steps=2", "optimizer.lr=0.0001", *SMALL]
"""Learns slowly, so that there are mistakes to show."""
CUTS = {"early": 1, "late": 2}
LINKS = ["alice->bob", "bob->alice", "carol->bob", "bob->carol"]


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, dict[str, float]]]:
    logs = tmp_path_factory.mktemp("sweep")
    return logs, {name: run(logs / name, *JOB, f"cut={cut}") for name, cut in CUTS.items()}


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
    shown = ["alignment/before", "alignment/after", "test/confusion_matrix", "test/mistakes"]
    text = await_text(page, *shown, *CUTS)
    assert all(text.split("\n").count(tag) >= len(CUTS) for tag in shown), text
    widths = page.locator("img").evaluate_all("all => all.map(image => image.naturalWidth)")
    assert len(widths) == len(shown) * len(CUTS) and min(widths) > 300, widths


def test_hyper_parameters(page: Page, address: str, sweep: tuple[Path, dict[str, dict[str, float]]]) -> None:
    page.goto(f"{address}#hparams")
    shown = await_text(page, "architecture.hidden", "test/accuracy", *CUTS, "[128, 640]").split("\n")
    for name, metrics in sweep[1].items():
        row = shown[shown.index(name, shown.index("Trial ID")) :][:12]
        assert f"{CUTS[name]:#.5g}" in row, row
        assert f"{metrics['test/accuracy']:#.5g}" in row, row


def test_custom_scalars(page: Page, address: str) -> None:
    page.goto(f"{address}#custom_scalars")
    charts = ["loss", "accuracy", "bytes per link", "gradient norm per party"]
    await_text(page, "Learning", "Wire", "Parties", *charts, "Matches (8)")
    for unfold in page.locator(".toggle-matches-button").all():
        unfold.click()
    curves = ["train/loss", "val/loss", "train/accuracy", "val/accuracy", *(f"wire/bytes/{link}" for link in LINKS)]
    curves += [f"gradient_norm/{party}" for party in ("alice", "carol", "bob")]
    expected = {f"{curve} ({name})" for curve, name in product(curves, CUTS)}
    shown = set(await_text(page, *expected).split("\n"))
    assert {line for line in shown if line.endswith(tuple(f"({name})" for name in CUTS))} == expected


def test_text(page: Page, address: str) -> None:
    page.goto(f"{address}#text&tagFilter=text_summary")
    tags = [f"{name}/text_summary" for name in ("boundary", "configuration", "leak_statement", "topology")]
    shown = await_text(page, *tags, "batch_size: 32", "semi-honest", "logits, loss")
    for drawn in ("carol: fc1 ─►┴─ bob: merge fc2 head", "carol: fc1 fc2 ─►┴─ bob: merge head"):
        assert drawn in shown
    assert "```" not in text_of(page)
