"""What jobs of one process need not do twice, and must not share."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from job import SMALL, configuration
from omegaconf import DictConfig

from vertical_lightning.data.datamodule import VerticalDataModule
from vertical_lightning.run import table_cache
from vertical_lightning.sweep.job import key


@pytest.fixture(autouse=True)
def empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_cache, "_kept", type(table_cache._kept)())


def node(folder: Path, *words: str) -> DictConfig:
    return configuration(folder, *SMALL, "partition=halves", *words).datamodule


def prepared(folder: Path, *words: str) -> VerticalDataModule:
    data = table_cache.get(node(folder, *words))
    data.setup("fit")
    table_cache.put(node(folder, *words), data)
    return data


def test_the_same_tables_are_loaded_once(tmp_path: Path) -> None:
    first = prepared(tmp_path)
    again = prepared(tmp_path, "batch_size=16", "datamodule.val_fraction=0.5")
    assert again.tables is first.tables
    assert all(found.cached for found in again.alignments.values()), "by the cache on disk"
    assert again.splits["val"] is not first.splits["val"]
    assert len(again.splits["val"]) > len(first.splits["val"])
    fresh = VerticalDataModule(again.holdings, again.aligner, batch_size=16, val_fraction=0.5)
    fresh.setup("fit")
    assert fresh.digest == again.digest


@pytest.mark.parametrize(
    "word", ["data_seed=1", "overlap.missing=0.2", "partition.parties=3", "label_holder=zoe", "data.train_rows=50"]
)
def test_other_tables_are_loaded_anew(word: str, tmp_path: Path) -> None:
    first, other = prepared(tmp_path), prepared(tmp_path, word if "train_rows" not in word else f"+{word}")
    assert other.tables is not first.tables
    assert other.digest != first.digest


def test_a_file_that_changed_is_read_anew_and_is_another_job(tmp_path: Path) -> None:
    """A configuration names files; what stands in them may have been corrected since."""
    for name in ("bank", "shop"):
        shutil.copy(Path(__file__).parents[1] / "helpers" / "two_files" / f"{name}.csv", tmp_path)
    words = ["data=files", "label_holder=bank", "++data.parties.bank.id=customer", "++data.parties.bank.label=late"]
    words += [f"++data.parties.{name}.path={tmp_path / name}.csv" for name in ("bank", "shop")]
    config = configuration(tmp_path, *words, "++data.parties.shop.id=key", "batch_size=8")

    def rows() -> int:
        data = table_cache.get(config.datamodule)
        data.load()
        table_cache.put(config.datamodule, data)
        return len(data.tables["all"]["shop"])

    before, first = rows(), key(config)
    assert (rows(), key(config)) == (before, first)
    path = tmp_path / "shop.csv"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
    assert rows() == before - 1
    assert key(config) != first


def test_the_oldest_is_forgotten(tmp_path: Path) -> None:
    first = prepared(tmp_path)
    for seed in range(1, table_cache.AT_MOST):
        prepared(tmp_path, f"data_seed={seed}")
    assert prepared(tmp_path).tables is first.tables, "and is now the newest"
    prepared(tmp_path, "data_seed=9")
    assert table_cache.get(node(tmp_path)).tables is first.tables
    assert not table_cache.get(node(tmp_path, "data_seed=1")).tables


def test_without_the_cache_every_job_aligns(tmp_path: Path) -> None:
    """`psi.cache=false` means what it says, in one process too."""
    first, again = prepared(tmp_path, "psi.cache=false"), prepared(tmp_path, "psi.cache=false")
    assert again.tables is first.tables
    assert not any(found.cached for found in again.alignments.values())
