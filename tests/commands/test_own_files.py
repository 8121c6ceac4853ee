"""`vl-partition` and `vl-align` as a user types them, and training from files beside training from the source."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd
import pytest

from vertical_lightning.psi.openmined import OpenMined
from vertical_lightning.psi.star import Star
from vertical_lightning.run.atomic_folder import atomic_folder

SYNTHETIC = ["data=synthetic", "partition=even_columns", "data.rows=600", "overlap.missing=0.1"]
FILES = [
    *("label_holder=bank", "data.parties.bank.path=bank.csv", "data.parties.bank.duplicates=drop"),
    *("data.parties.shop.path=shop.parquet", "data.parties.shop.id=key"),
]
QUICK = ["trainer.max_epochs=2", "trainer.accelerator=cpu", "callbacks.progress_bar.refresh_rate=0"]


def command(module: str, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", f"vertical_lightning.commands.{module}", *words]
    return subprocess.run(line, cwd=folder, capture_output=True, text=True, timeout=300)


def suggested(done: subprocess.CompletedProcess[str]) -> list[str]:
    """The words of the command that vl-partition prints."""
    assert done.returncode == 0, done.stderr
    return shlex.split(done.stdout[done.stdout.index("vl-train") :].replace("\\\n", " "))[1:]


def metrics(folder: Path, *words: str) -> dict[str, float]:
    run = Path(tempfile.mkdtemp(dir=folder))
    done = command("train", folder, *words, *QUICK, f"hydra.run.dir={run.name}")
    assert done.returncode == 0, done.stderr
    found: dict[str, float] = json.loads((run / "metrics.json").read_text())
    return found


@pytest.mark.parametrize("form", ["csv", pytest.param("parquet", marks=pytest.mark.slow)])
def test_files_train_as_their_source_does(form: str, tmp_path: Path) -> None:
    """The same rows, splits and columns: the same losses, but for the rounding of scaling."""
    words = suggested(command("partition", tmp_path, *SYNTHETIC, "architecture=tabular", f"format={form}"))
    assert sorted(path.name for path in (tmp_path / "parties").iterdir()) == sorted(
        f"{party}.{form}" for party in ("alice", "bob", "carol")
    )
    own = metrics(tmp_path, *words)
    built_in = metrics(tmp_path, *SYNTHETIC, "architecture=tabular")
    assert own["psi/intersection"] == built_in["psi/intersection"]
    assert own["wire/bytes"] == built_in["wire/bytes"]
    assert own["test/loss"] == pytest.approx(built_in["test/loss"], rel=1e-5)
    assert own["test/auroc"] == pytest.approx(built_in["test/auroc"], abs=1e-3)


@pytest.mark.slow
def test_images_with_official_test_rows(tmp_path: Path) -> None:
    """Arrays instead of columns, and a second file a party."""
    words = suggested(command("partition", tmp_path, "partition=halves", 'out="held here/b(1)"'))
    here, held = tmp_path / "held here" / "b(1)", ["alice.npz", "bob.csv", "carol.npz"]
    names = sorted(str(path.relative_to(here)) for path in here.glob("*/*"))
    assert names == [*(f"test/{name}" for name in held), *(f"train/{name}" for name in held)]
    own = metrics(tmp_path, *words, "trainer.limit_train_batches=20")
    built_in = metrics(tmp_path, "partition=halves", "trainer.limit_train_batches=20")
    assert own["test/accuracy"] == built_in["test/accuracy"]
    assert own["test/loss"] == pytest.approx(built_in["test/loss"], rel=1e-5)


@pytest.fixture(scope="module", name="held")
def held_fixture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the files."""
    folder = tmp_path_factory.mktemp("held")
    pd.DataFrame({"id": ["e", "c", "a", "c", "x"], "age": range(5)}).to_csv(folder / "bank.csv", index=False)
    pd.DataFrame({"key": ["a", "b", "e"], "spent": range(3)}).to_parquet(folder / "shop.parquet")
    return folder


def test_alignment_alone(held: Path, tmp_path: Path) -> None:
    """Row numbers are the files' own, though rows were dropped; labels are not needed."""
    done = command("align", held, *FILES, f"out={tmp_path / 'aligned'}")
    assert done.returncode == 0, done.stderr
    rows = {party: pd.read_csv(tmp_path / "aligned" / f"{party}.csv")["row"].tolist() for party in ("bank", "shop")}
    assert rows == {"bank": [2, 0], "shop": [0, 2]}
    said = (tmp_path / "aligned" / "statement.txt").read_text()
    assert "bank learned that shop brought 3 ids" in said
    assert "bank learned that shop brought 3 ids" in done.stdout


def test_a_dry_run_tells_and_writes_nothing(held: Path) -> None:
    before = sorted(held.iterdir())
    done = command("align", held, *FILES, "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "in common" in done.stdout and "shop learned that bank brought 3 ids" in " ".join(done.stdout.split())
    assert sorted(held.iterdir()) == before
    assert [path.name for path in before] == ["bank.csv", "shop.parquet"], "no log is left either"


@pytest.mark.parametrize(
    ("module", "words", "said"),
    [
        ("align", [*FILES, "data.parties.bank.id=nobody"], "has no column nobody"),
        ("align", [*FILES, "data.parties.bank.path=gone.csv"], "gone.csv does not exist"),
        ("align", [*FILES, "label_holder=zoe"], "label_holder='zoe' brings no ids; parties that do: bank, shop"),
        ("align", [*FILES, "out=."], "exists; nothing is overwritten"),
        ("align", [*FILES, "psi.min_overlap=3"], "bank and shop share only 2 ids"),
        ("align", ["data=credit"], "vl-align reads files"),
        ("partition", ["data=synthetic", "partition=even_columns", "format=xls"], "format=xls is none of csv"),
        ("partition", ["data=synthetic", "partition=even_columns", "out=."], "exists; nothing is overwritten"),
        ("partition", ["data=synthetic", "partition=halves"], "cuts images"),
        ("train", ["data=files", "hydra.run.dir=run"], "data=files needs a file of each party"),
        ("train", ["data=files", *FILES, "hydra.run.dir=run"], "label_holder=bank, but no label is given"),
    ],
    ids=str,
)
def test_bad_input_is_a_sentence_and_nothing_is_left(module: str, words: list[str], said: str, held: Path) -> None:
    before = sorted(path.name for path in held.iterdir())
    done = command(module, held, *words)
    assert done.returncode > 0
    assert said in done.stderr and "Traceback" not in done.stderr, done.stderr
    assert {path.name for path in held.iterdir()} - {"run"} == set(before) - {"run"}, "half-written"


def test_a_failure_in_the_middle_leaves_nothing(tmp_path: Path) -> None:
    """The folder takes its name when all is written."""

    def fail() -> None:
        with atomic_folder(tmp_path / "out") as folder:
            (folder / "half").write_text("")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert not list(tmp_path.iterdir())
    with atomic_folder(tmp_path / "deep" / "out") as folder:
        (folder / "whole").write_text("")
        assert not (tmp_path / "deep" / "out").exists()
    assert (tmp_path / "deep" / "out" / "whole").exists()


def test_the_rows_of_a_composite_key_and_of_three_parties(tmp_path: Path) -> None:
    """Keys of several columns, a third party, the plain class as the reference."""
    bank = pd.DataFrame({"land": ["de", "fr", "de"], "number": [7, 7, 8], "age": [1, 2, 3]})
    shop = pd.DataFrame({"country": ["fr", "de", "it"], "no": ["7", "8", "9"], "spent": [1, 2, 3]})
    gym = pd.DataFrame({"c": ["de", "fr"], "n": [8, 7], "visits": [5, 6]})
    for name, frame in {"bank": bank, "shop": shop, "gym": gym}.items():
        frame.to_csv(tmp_path / f"{name}.csv", index=False)
    ids = {"bank": "[land,number]", "shop": "[country,no]", "gym": "[c,n]"}
    words = [f"data.parties.{party}.{key}" for party in ids for key in (f"path={party}.csv", f"id={ids[party]}")]
    done = command("align", tmp_path, *words, "label_holder=gym")
    assert done.returncode == 0, done.stderr
    rows = {party: pd.read_csv(tmp_path / "alignment" / f"{party}.csv")["row"].tolist() for party in ids}
    tuples = {"bank": bank[["land", "number"]], "shop": shop[["country", "no"]], "gym": gym[["c", "n"]]}
    plain = Star(OpenMined()).align(
        {party: list(frame.itertuples(index=False, name=None)) for party, frame in tuples.items()}, "gym"
    )
    assert rows == {party: positions.tolist() for party, positions in plain.positions.items()}
    assert len(rows["gym"]) == 2
