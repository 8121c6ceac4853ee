"""Every bundled or made-up data set loads, whole and well-formed."""

from __future__ import annotations

import shutil
import uuid
from pathlib import Path

import pandas as pd
import pytest
import torch

from vertical_lightning.data.sources import verified_file
from vertical_lightning.data.sources.adult import Adult
from vertical_lightning.data.sources.bank import Bank
from vertical_lightning.data.sources.credit import Credit
from vertical_lightning.data.sources.mnist_sample import MnistSample
from vertical_lightning.data.sources.synthetic import Synthetic
from vertical_lightning.schema import Source

SOURCES = [Adult(), Bank(), Credit(), MnistSample(), Synthetic(rows=50, classes=3)]
FILES = {
    "adult_train.csv.gz": Adult(),
    "adult_test.csv.gz": Adult(),
    "bank.csv.gz": Bank(),
    "default_credit.csv.gz": Credit(),
    "mnist_sample.npz": MnistSample(),
}


@pytest.mark.usefixtures("global_random_state_untouched")
@pytest.mark.parametrize("source", SOURCES, ids=lambda source: type(source).__name__)
def test_tables_are_well_formed(source: Source) -> None:
    tables = source.load()
    assert set(tables) in ({"train", "test"}, {"all"})
    for table in tables.values():
        assert len(table) == len(table.ids) == len(table.features) == len(table.labels)
        assert table.labels.dtype == torch.int64
        assert set(table.labels.unique().tolist()) == set(range(len(table.classes)))


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: type(source).__name__)
def test_ids_are_uuids_unique_over_all_splits_and_the_same_next_time(source: Source) -> None:
    ids = [key for table in source.load().values() for key in table.ids]
    assert len(set(ids)) == len(ids)
    assert str(uuid.UUID(ids[-1])) == ids[-1]
    assert ids == [key for table in source.load().values() for key in table.ids]


def test_positive_rates_are_the_published_ones() -> None:
    rates = {name: table.labels.float().mean().item() for name, table in Adult().load().items()}
    assert rates == pytest.approx({"train": 7841 / 32561, "test": 3846 / 16281})
    assert Credit().load()["all"].labels.sum() == 6636
    assert Bank().load()["all"].labels.sum() == 521


def test_labels_and_keys_are_no_features() -> None:
    credit, bank, adult = Credit().load()["all"], Bank().load()["all"], Adult().load()["train"]
    assert [frame.features.shape[1] for frame in (credit, bank, adult)] == [23, 15, 14]
    columns = {column for table in (credit, bank, adult) for column in table.features}
    assert not columns & {"ID", "id", "default.payment.next.month", "y", "income", "duration"}


def test_categories_are_not_numeric_and_numbers_are() -> None:
    frame = Credit().load()["all"].features
    assert isinstance(frame, pd.DataFrame)
    categories = [name for name in frame if not pd.api.types.is_numeric_dtype(frame[name])]
    assert categories == ["SEX", "EDUCATION", "MARRIAGE"]


def test_question_marks_are_missing() -> None:
    frame = Adult().load()["train"].features
    assert isinstance(frame, pd.DataFrame)
    missing = frame.isna().sum()
    assert missing[missing > 0].to_dict() == {"workclass": 1836, "occupation": 1843, "native-country": 583}
    assert not (frame == "?").any().any()


@pytest.mark.parametrize("name", FILES)
def test_a_corrupt_file_is_found_and_named(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for other in FILES:
        shutil.copy(verified_file.BUNDLED / other, tmp_path)
    content = bytearray((tmp_path / name).read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / name).write_bytes(content)
    monkeypatch.setattr(verified_file, "BUNDLED", tmp_path)
    with pytest.raises(ValueError, match=rf"{name} is corrupt: it has sha256:.* expected sha256:.* install the package"):
        FILES[name].load()


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for other in FILES.keys() - {name}:
        shutil.copy(verified_file.BUNDLED / other, tmp_path)
    monkeypatch.setattr(verified_file, "BUNDLED", tmp_path)
    with pytest.raises(FileNotFoundError, match=rf"{name} is missing; expected .* sha256:.* install the package"):
        FILES[name].load()


def test_every_bundled_file_has_its_terms_written_down() -> None:
    terms = (verified_file.BUNDLED / "LICENSES.md").read_text()
    data = {path.name for path in verified_file.BUNDLED.iterdir() if path.suffix in {".gz", ".npz"}}
    assert data == set(FILES)
    assert all(f"`{name}`" in terms for name in data)


def test_synthetic_is_seeded_balanced_and_learnable() -> None:
    table, again, other = (Synthetic(rows=300, classes=3, seed=seed).load()["all"] for seed in (0, 0, 1))
    assert isinstance(table.features, pd.DataFrame)
    pd.testing.assert_frame_equal(table.features, again.features)
    assert not table.features.equals(other.features)
    assert set(table.ids).isdisjoint(other.ids)
    assert table.labels.bincount().tolist() == [100, 100, 100]
    numbers = torch.tensor(table.features.to_numpy())
    centers = torch.stack([numbers[table.labels == number].mean(0) for number in range(3)])
    assert (torch.cdist(numbers, centers).argmin(1) == table.labels).float().mean() > 0.8


def test_synthetic_numbers_are_a_noisy_sum_of_the_columns() -> None:
    table = Synthetic(rows=3000, columns=5, classes=0).load()["all"]
    assert isinstance(table.features, pd.DataFrame)
    assert table.labels.dtype == torch.float32 and not table.classes
    columns = torch.tensor(table.features.to_numpy())
    signs = torch.linalg.lstsq(columns, (table.labels - 10)[:, None]).solution[:, 0]
    assert signs.abs().tolist() == pytest.approx([1] * 5, abs=0.1)
    assert (table.labels - 10 - columns @ signs.sign()).std().item() == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize(
    "sizes", [{"rows": 1}, {"columns": 0}, {"classes": 1}, {"classes": -1}, {"classes": 0, "rows": 0}], ids=str
)
def test_synthetic_refuses_sizes_without_sense(sizes: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="at least 2 classes, 1 column and as many rows as classes"):
        Synthetic(**sizes)
