"""The three files that a sweep ends in."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest
from sweep_folder import COMMIT, curve, job, sweep

from vertical_lightning.reports.curves import scalars
from vertical_lightning.reports.group import rank
from vertical_lightning.reports.heat_map import means, sides
from vertical_lightning.reports.links import TENSORBOARD
from vertical_lightning.reports.study import gather
from vertical_lightning.reports.table import tabulated
from vertical_lightning.reports.writing import Report, write

HOSTILE = '<script>alert(1)</script> & "quotes" | pipes ` $\\frac{ </svg></pre>'


class Page(HTMLParser):
    """Collects tags, attributes and text, and checks that every element is closed."""

    VOID = ("meta", "br", "link", "img")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture
def full(tmp_path: Path) -> Path:
    """Two architectures at two cuts with two seeds, baselines, and jobs that did not complete."""
    made, number = sweep(tmp_path / "sweep", changed=True), 0
    for architecture, score in (("mlp", 0.5), ("lenet", 0.75)):
        for cut in (1, 2):
            for seed in (0, 1):
                metrics = {
                    "test/accuracy": score + cut / 10 + seed / 100,
                    "test/loss": 1 - score,
                    "wire/bytes": 4_000_000 // cut,
                    "time/fit_seconds": 2.0,
                    "leakage/alice": cut / 4,
                    "leakage/carol": 0.1,
                }
                folder = job(made, number, {"architecture": architecture, "cut": cut, "seed": seed}, metrics)
                curve(folder, [score, score + cut / 10])
                number += 1
    for only, score in ((None, 0.97), ("alice", 0.6), ("carol", 0.4)):
        job(made, number, {"architecture": "mlp", "seed": 0}, {"test/accuracy": score, "wire/bytes": 0}, baseline=only)
        number += 1
    for seed in range(5):
        job(made, number, {"architecture": "mlp", "cut": 3, "seed": seed}, None, state="skipped", reason="No such cut.")
        number += 1
    job(made, number, {"architecture": HOSTILE, "cut": 1, "seed": 0}, None, state="failed", reason=HOSTILE)
    return made


@pytest.fixture
def report(full: Path) -> Report:
    return write([full], full)


def test_best_first_with_baselines_among_them(full: Path) -> None:
    found = [(row.kind, row.mark, *row.values, row.n, str(row.numbers[0])) for row in tabulated(gather([full])).rows]
    # Two seeds 0.01 apart: t for 1 degree of freedom is 12.706, half of the interval 12.706 · 0.005.
    assert found == [
        ("centralized", "baseline", "mlp", "–", 1, "0.9700"),
        ("split", "", "lenet", "2", 2, "0.9550 ± 0.0635"),
        ("split", "", "lenet", "1", 2, "0.8550 ± 0.0635"),
        ("split", "", "mlp", "2", 2, "0.7050 ± 0.0635"),
        ("split", "", "mlp", "1", 2, "0.6050 ± 0.0635"),
        ("alice alone", "baseline, best single party", "mlp", "–", 1, "0.6000"),
        ("carol alone", "baseline", "mlp", "–", 1, "0.4000"),
    ]


def test_columns_are_objective_loss_leakage_bytes_seconds(full: Path) -> None:
    table = tabulated(gather([full]))
    assert [measure.title for measure in table.measures] == [
        *("test/accuracy", "test/loss", "leakage", "wire/bytes, MB", "time/fit_seconds")
    ]
    assert list(map(str, table.rows[1].numbers[1:])) == ["0.2500 ± 0.0000", "0.5000 ± 0.0000", "2.00", "2.0"]


def test_less_loss_is_better(tmp_path: Path) -> None:
    made = sweep(tmp_path / "sweep", ("cut",), objective=["test/loss"])
    for number, loss in enumerate([0.3, 0.1, 0.2]):
        job(made, number, {"cut": number}, {"test/loss": loss})
    job(made, 3, {"cut": 3}, {"test/loss": None})
    assert [group.swept["cut"] for group in rank(gather([made]))] == ["1", "2", "0", "3"]


def test_a_constant_key_has_no_column_and_a_metric_that_few_have_says_so(tmp_path: Path) -> None:
    made = sweep(tmp_path / "sweep")
    for number, (cut, seed) in enumerate([(1, 0), (1, 1), (2, 0)]):
        metrics = {"test/accuracy": 0.5, "test/auroc": None if (cut, seed) == (1, 1) else 0.5}
        job(made, number, {"architecture": "mlp", "cut": cut, "seed": seed}, metrics)
    table = tabulated(gather([made]))
    assert table.keys == ["cut"]
    assert [str(row.numbers[1]) for row in table.rows] == ["0.5000 (1 of 2)", "0.5000"]


def test_heat_map_leaves_baselines_out(full: Path) -> None:
    job(full, 90, {"architecture": "vgg11", "cut": 7, "seed": 0}, {"test/accuracy": 1.0, "wire/bytes": 0})
    study = gather([full])
    assert sides(study) == ["architecture", "cut"]
    found = means(study, "architecture", "cut", "test/accuracy")
    assert list(found.index) == ["lenet", "mlp"] and list(found.columns) == ["1", "2"]
    assert found.loc["mlp", "2"] == pytest.approx(0.705)


def test_heat_map_takes_other_keys_or_is_left_out(tmp_path: Path) -> None:
    made = sweep(tmp_path / "sweep", ("merge", "cut", "seed", "batch_size"))
    for number, (merge, size) in enumerate([("sum", 32), ("concat", 32), ("sum", 64)]):
        job(made, number, {"merge": merge, "cut": 1, "seed": number, "batch_size": size}, {"test/accuracy": 0.5})
    assert sides(gather([made])) == ["merge", "batch_size"]
    line = sweep(tmp_path / "line", ("cut", "merge", "seed"))
    for cut in (1, 2):
        job(line, cut, {"cut": cut, "merge": "sum", "seed": cut}, {"test/accuracy": 0.5})
    job(line, 3, {"merge": "max", "seed": 0}, {"test/accuracy": 0.5, "wire/bytes": 0})
    assert sides(gather([line])) == []


def test_curves_are_by_epoch_and_of_a_step_logged_twice_the_later_counts(tmp_path: Path) -> None:
    curve(tmp_path, [0.1, 0.2, 0.3])
    assert scalars(tmp_path, ["val/accuracy", "val/none"]) == {"val/accuracy": pytest.approx({1: 0.1, 2: 0.2, 3: 0.3})}
    curve(tmp_path, [0.1, 0.5])
    assert scalars(tmp_path, ["val/accuracy"])["val/accuracy"][2] == pytest.approx(0.5)


def test_the_page_needs_nothing_else(report: Report) -> None:
    page = Page(report.page.read_text())
    assert page.tags.count("svg") == 6  # heat map, importance, bytes, leakage, parallel coordinates, curves
    assert not {"link", "iframe", "object", "img", "image"} & set(page.tags)
    assert page.tags.count("script") == 1  # sorts the table
    for name, value in page.attributes:
        assert name not in ("src", "data", "srcset", "action") and not name.startswith("on")
        if name.endswith("href") and not value.startswith(("#", TENSORBOARD)):
            assert (report.page.parent / unquote(value)).is_dir()
    text = report.page.read_text().replace(TENSORBOARD, "")
    assert "http" not in text and "@import" not in text
    assert "fetch(" not in text and "import(" not in text
    assert text.count("url(") == text.count("url(#")


def test_hostile_text_is_text(report: Report) -> None:
    page = Page(report.page.read_text())
    assert page.text.count(HOSTILE) == 2
    markdown = report.markdown.read_text()
    assert "<script" not in markdown and "</pre" not in markdown
    row = next(line for line in markdown.splitlines() if line.startswith("| failed"))
    assert row.replace("\\|", "").count("|") == 5


def test_hostile_text_can_be_drawn(tmp_path: Path) -> None:
    made = sweep(tmp_path / "sweep", ("x", "$y$", "seed"))
    for number, (x, y) in enumerate((x, y) for x in (HOSTILE, "$a") for y in (HOSTILE, "<b>")):
        metrics = {"test/accuracy": number / 10, "wire/bytes": 1 + number}
        curve(job(made, number, {"x": x, "$y$": y, "seed": 0}, metrics), [0.5])
    page = Page(write([made], made).page.read_text())
    assert page.tags.count("svg") == 5
    assert page.tags.count("script") == 1 and "b" not in page.tags


def test_what_did_not_complete_is_listed_with_its_reason(report: Report) -> None:
    markdown = report.markdown.read_text().split("## Not completed")[1]
    rows = [[part.strip() for part in line.split(" | ")] for line in markdown.splitlines() if line.startswith("| ")][1:]
    assert [row[0].strip("| ") for row in rows] == ["failed", "skipped"]
    assert rows[1][1:3] == ["5", "No such cut."] and "seed=2 and 2 more " in rows[1][3]
    page = Page(report.page.read_text())
    assert page.text.count("No such cut.") == 1
    assert all(f"architecture=mlp cut=3 seed={seed}" in page.text for seed in range(5))


def test_counts_command_commit_and_versions_are_said(report: Report) -> None:
    assert report.states == {"completed": 11, "skipped": 5, "failed": 1}
    assert str(report).startswith("17 jobs: 11 completed, 1 failed, 5 skipped\nBest: lenet, cut=2, with test/accuracy 0.9550")
    for text in (report.markdown.read_text(), Page(report.page.read_text()).text):
        assert "vl-train -m architecture=… cut=… seed=…" in text
        assert f"{COMMIT}, with uncommitted changes" in text
        assert "python 3.11.7, torch 2.9" in text
        assert "0.9550 ± 0.0635" in " ".join(text.split())


def test_written_twice_is_written_the_same(full: Path, tmp_path: Path) -> None:
    first, second = write([full], tmp_path / "one"), write([full], tmp_path / "two")
    for one, two in ((first.csv, second.csv), (first.markdown, second.markdown), (first.page, second.page)):
        assert one.read_bytes() == two.read_bytes()


def test_a_sweep_without_any_result_is_reported(tmp_path: Path) -> None:
    made = sweep(tmp_path / "sweep")
    job(made, 0, {"architecture": "mlp", "cut": 9, "seed": 0}, None, state="failed", reason="It broke.")
    report = write([made], made)
    assert report.best == "No job has completed: there is nothing to rank."
    page = Page(report.page.read_text())
    assert "It broke." in page.text and "svg" not in page.tags


def test_jobs_of_another_commit_are_told(tmp_path: Path) -> None:
    made = sweep(tmp_path / "made", ("seed",))
    for number in range(3):
        folder = job(made, number, {"seed": number}, {"test/accuracy": 0.5})
        record = json.loads((folder / "job.json").read_text())
        (folder / "job.json").write_text(json.dumps(record | {"commit": COMMIT if number else "f" * 40}))
    page = write([made], made).page.read_text()
    assert f"1 jobs that ran from {'f' * 40}" in page
    assert f"ran from {COMMIT}" not in page
