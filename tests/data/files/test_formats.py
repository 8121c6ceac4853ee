"""The same numbers and categories from every kind of file, and what a person wrote told apart from what it looks like."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from own_files import write_csv, write_images, write_npz, write_parquet
from torch import Tensor

from vertical_lightning.data.files.files import Files
from vertical_lightning.data.files.party_file import PartyFile
from vertical_lightning.data.files.party_rows import PartyRows
from vertical_lightning.data.preprocessing import kept, preprocessor, restored
from vertical_lightning.schema import PartyTable

ROWS = 50


def read(path: str, **options: Any) -> PartyRows:
    return PartyFile(path, **options).read("bank")


def scaled(rows: PartyRows, scaling: str | None = None) -> Tensor:
    assert rows.features is not None
    return preprocessor(rows.features, rows.kind, scaling).transform(rows.features)


def csv(folder: Path, columns: dict[str, Any], **options: Any) -> PartyRows:
    length = len(next(iter(columns.values())))
    frame = pd.DataFrame({"id": range(length), **columns})
    return read(write_csv(folder / "a.csv", frame.to_csv(index=False)), **options)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64, np.int32, np.uint8, np.bool_, ">f8", ">i4", np.uint64])
def test_one_table_is_scaled_alike_from_every_format(dtype: Any, tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 2 if dtype is np.bool_ else 200, (ROWS, 3)).astype(dtype)
    frame = pd.DataFrame(values.astype(np.dtype(dtype).newbyteorder("=")), columns=["a", "b", "c"])
    frame.insert(0, "id", range(ROWS))
    frame.to_parquet(tmp_path / "a.parquet")
    found = [
        scaled(read(path))
        for path in (
            write_csv(tmp_path / "a.csv", frame.to_csv(index=False)),
            str(tmp_path / "a.parquet"),
            write_npz(tmp_path / "a.npz", id=np.arange(ROWS), features=values),
        )
    ]
    assert all(torch.equal(found[0], other) for other in found[1:])
    assert found[0].double().mean(0).abs().max() < 1e-6 and (found[0].std(0, correction=0) - 1).abs().max() < 1e-5


def test_numbers_that_float32_cannot_tell_apart(tmp_path: Path) -> None:
    """Seconds since 1970: scaled in double precision, whatever the file."""
    values = np.arange(ROWS)[:, None] + 1_700_000_000
    array = scaled(read(write_npz(tmp_path / "a.npz", id=np.arange(ROWS), features=values.astype(float))))
    assert torch.equal(array, scaled(csv(tmp_path, {"t": values[:, 0]})))
    assert len(array.unique()) == ROWS


def test_a_missing_number_is_the_median_in_every_format(tmp_path: Path) -> None:
    values = np.array([[1.0], [np.nan], [2.0], [9.0]])
    array = scaled(read(write_npz(tmp_path / "a.npz", id=np.arange(4), features=values)))
    assert torch.equal(array, scaled(csv(tmp_path, {"x": values[:, 0]})))
    assert array[1] == array[2]


def test_a_table_of_bytes_is_a_table_and_an_image_an_image(tmp_path: Path) -> None:
    flags = np.eye(4, dtype=np.uint8)
    as_bytes, as_integers = (
        scaled(read(write_npz(tmp_path / f"{kind}.npz", id=np.arange(4), features=flags.astype(kind))))
        for kind in ("uint8", "int64")
    )
    assert torch.equal(as_bytes, as_integers)
    path = write_npz(tmp_path / "i.npz", id=np.arange(4), features=flags.reshape(4, 1, 2, 2) * 255)
    assert scaled(read(path)).unique().tolist() == [0, 1]
    flat = write_npz(tmp_path / "f.npz", id=np.arange(4), features=flags * 255)
    assert scaled(read(flat, kind="images")).unique().tolist() == [0, 1]


@pytest.mark.parametrize("stored", [[1, 2], [1.0, 2.0], ["1", "2"], ["1.0", "2.0"]])
def test_a_category_has_one_code_however_it_is_stored(stored: list[Any], tmp_path: Path) -> None:
    told = preprocessor(read(write_parquet(tmp_path / "t.parquet", {"id": [1, 2], "c": [1, 2]}), categories=["c"]).features)  # type: ignore[arg-type]
    for rows in (
        read(write_parquet(tmp_path / "a.parquet", {"id": [1, 2], "c": stored}), categories=["c"]),
        csv(tmp_path, {"c": stored}, categories=["c"]),
        csv(tmp_path, {"c": stored}, kind="categories"),
    ):
        assert rows.features is not None
        assert told.transform(rows.features).tolist() == [[1, 0], [0, 1]]


def test_codes_in_an_array_are_categories_if_it_is_said(tmp_path: Path) -> None:
    path = write_npz(tmp_path / "a.npz", id=np.arange(3), features=np.array([[1.0, 7], [2, 7], [1, 8]]))
    assert scaled(read(path, kind="categories")).tolist() == [[1, 0, 1, 0], [0, 1, 1, 0], [1, 0, 0, 1]]


def test_tokens_stay_integers(tmp_path: Path) -> None:
    words = np.array([[3, 1], [0, 2]], dtype=np.int32)
    for rows in (
        read(write_npz(tmp_path / "a.npz", id=np.arange(2), features=words), kind="tokens"),
        csv(tmp_path, {"a": words[:, 0], "b": words[:, 1]}, kind="tokens"),
    ):
        assert scaled(rows).dtype == torch.int64 and scaled(rows).tolist() == words.tolist()
    with pytest.raises(ValueError, match="kind=tokens, but 2 values are no whole numbers from 0"):
        csv(tmp_path, {"a": [0.5, -1, 3]}, kind="tokens")


def test_scaling_is_a_setting() -> None:
    numbers = torch.tensor([[[1.0, 3.0]], [[5.0, 7.0]]])  # one channel of two positions
    assert preprocessor(numbers).transform(numbers).flatten().tolist() == [-1, -1, 1, 1]
    assert preprocessor(numbers, scaling="none").transform(numbers).equal(numbers)
    pooled = preprocessor(numbers, scaling="per_channel").transform(numbers)
    torch.testing.assert_close(pooled, (numbers - 4) / 5**0.5)
    with pytest.raises(ValueError, match="scaling=robust is none of standard, none, per_channel"):
        preprocessor(numbers, scaling="robust")


@pytest.mark.parametrize(
    "features",
    [
        torch.rand(5, 3),
        torch.rand(5, 2, 4, 4),
        torch.randint(0, 255, (5, 1, 4, 4), dtype=torch.uint8),
        pd.DataFrame({"x": [1.0, None, 3, 4, 9], "c": ["a", None, "b", "b", "a"]}),
    ],
    ids=["table", "floats", "images", "columns"],
)
def test_a_preprocessor_is_the_same_after_a_checkpoint(features: Any, tmp_path: Path) -> None:
    fitted = preprocessor(features)
    torch.save(kept(fitted), tmp_path / "a.ckpt")
    again = restored(torch.load(tmp_path / "a.ckpt", weights_only=True))
    assert torch.equal(fitted.transform(features), again.transform(features))


# --- what people write

INCOME = np.random.default_rng(0).integers(5, 400, 300) * 100
WRITTEN = {
    "thousands": [f"{value:,}" for value in INCOME],
    "decimal": [f"{value / 10:.1f}".replace(".", ",") for value in INCOME],
}


@pytest.mark.parametrize(("setting", "said"), [("thousands", "thousands=comma"), ("decimal", "decimal=comma")])
def test_numbers_of_another_country_are_told_and_read(setting: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=f"column income holds numbers with .*{said}"):
        csv(tmp_path, {"income": WRITTEN[setting]})
    rows = csv(tmp_path, {"income": WRITTEN[setting]}, **{setting: "comma"})
    assert torch.equal(scaled(rows), scaled(csv(tmp_path, {"income": INCOME})))


def test_marks_for_missing_are_told_and_read(tmp_path: Path) -> None:
    age = np.random.default_rng(0).integers(20, 90, 300)
    marked, gaps = age.astype(str).astype(object), age.astype(float)
    marked[::7], gaps[::7] = "?", np.nan
    with pytest.raises(ValueError, match=r'column age holds numbers, but 43 of its 300 .*missing=\["\?"\]'):
        csv(tmp_path, {"age": marked})
    expected = scaled(csv(tmp_path, {"age": gaps}))
    rows = csv(tmp_path, {"age": marked}, missing=["?"])
    assert rows.missing == 43 and torch.equal(scaled(rows), expected)
    coded = np.where(np.isnan(gaps), -9, gaps)
    array = write_npz(tmp_path / "a.npz", id=np.arange(300), features=coded[:, None])
    assert torch.equal(scaled(read(array, missing=["-9"])), expected)
    parquet = write_parquet(tmp_path / "a.parquet", {"id": list(range(300)), "age": marked.tolist()})
    assert torch.equal(scaled(read(parquet, missing=["?"], numbers=["age"])), expected)


def test_a_mark_that_may_be_somebodys_value_is_not_shown(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"missing=\[WORD\]") as caught:
        csv(tmp_path, {"age": [*map(str, range(100)), *["smith"] * 20]})
    assert "smith" not in str(caught.value)


@pytest.mark.parametrize("form", ["%Y-%m-%d", "%d.%m.%Y", "%m/%d/%y", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"])
def test_dates_in_text_are_refused_as_in_parquet(form: str, tmp_path: Path) -> None:
    days = pd.date_range("2024-01-01", periods=30).strftime(form)
    with pytest.raises(ValueError, match="column joined holds dates or times"):
        csv(tmp_path, {"joined": days})
    assert csv(tmp_path, {"joined": days}, categories=["joined"]).features is not None


def test_words_that_only_look_like_numbers_are_categories(tmp_path: Path) -> None:
    rows = csv(
        tmp_path, {"size": ["1-2", "3-4", "5+"] * 9, "zip": ["007", "A12", "007"] * 9, "ip": ["1.2.3", "4.5.6", "x"] * 9}
    )
    assert scaled(rows).shape[1] == 3 + 2 + 3


def test_what_excel_writes(tmp_path: Path) -> None:
    text = "id;x\n1;1,5\n2;2,5\n"
    (tmp_path / "a.csv").write_bytes(text.encode("utf-16"))
    with pytest.raises(ValueError, match="its first bytes are those of encoding=utf-16"):
        read(str(tmp_path / "a.csv"))
    with pytest.raises(ValueError, match="its first line has semicolons: sep=semicolon"):
        read(str(tmp_path / "a.csv"), encoding="utf-16")
    rows = read(str(tmp_path / "a.csv"), encoding="utf-16", sep="semicolon", decimal="comma")
    assert isinstance(rows.features, pd.DataFrame) and rows.features["x"].tolist() == [1.5, 2.5]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"sep": "ab"}, "sep must be one character"),
        ({"decimal": "comma", "thousands": ","}, "the two are different signs"),
        ({"encoding": "utf-99"}, "encoding=utf-99 is unknown"),
        ({"kind": "words"}, "kind=words is none of numbers, categories, tokens, images"),
        ({"missing": "?"}, r"missing=\? is one text; give a list"),
    ],
)
def test_settings_that_no_file_has(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        PartyFile("a.csv", **options)


def test_row_numbers_of_pandas_are_no_feature(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="column without a name of its own"):
        csv(tmp_path, {"Unnamed: 0": range(9), "x": range(9)})


def test_too_many_categories(tmp_path: Path) -> None:
    postcodes = [f"P{number}" for number in range(1100)] * 3
    with pytest.raises(ValueError, match=r"column postcode has 1,100 different categories.*max_categories=1000"):
        csv(tmp_path, {"postcode": postcodes})
    told = Files({"bank": {"path": str(tmp_path / "a.csv"), "max_categories": 1200}}).parties["bank"]
    assert told.read("bank").features is not None


@pytest.mark.parametrize("value", [9.97e36, -1e30, 1e300])
def test_a_fill_value_is_named_before_training(value: float, tmp_path: Path) -> None:
    numbers = np.random.default_rng(0).normal(size=50)
    numbers[7] = value
    with pytest.raises(ValueError, match=r"(not plausible.*: |infinite numbers: )1 in a"):
        csv(tmp_path, {"a": numbers})
    array = write_npz(tmp_path / "a.npz", id=np.arange(50), features=numbers[:, None])
    with pytest.raises(ValueError, match=r"(not plausible.*: |infinite numbers: )1 in features"):
        read(array)
    assert csv(tmp_path, {"a": numbers}, missing=[str(value)]).missing == 1
    assert csv(tmp_path, {"a": 1e20 * (1 + np.arange(50))}).features is not None  # all of that size: a unit, no fault


def test_an_id_of_another_name_is_suggested(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no column id, but one that seems to hold ids: say id=customer_id"):
        read(write_csv(tmp_path / "a.csv", "customer_id,age,paid\n1,2,3\n"))


# --- folders


def test_what_is_left_out_of_a_folder_of_images_is_counted(tmp_path: Path) -> None:
    path = write_images(tmp_path / "images", ["a.png", "b.png"])
    write_images(tmp_path / "images" / "more", ["c.png"])
    (tmp_path / "images" / "scan.tiff").write_text("")
    assert read(path).remark == "1 images in sub-folders and 1 files of another type left out"
    (held,) = Files({"x": {"path": path}}).read()["all"].values()
    assert len(held.ids) == 2
    (tmp_path / "deep").mkdir()
    write_images(tmp_path / "deep" / "x", ["a.png"])
    with pytest.raises(ValueError, match=r"folder without images \(1 images in sub-folders left out\)"):
        read(str(tmp_path / "deep"))


def test_a_folder_of_parquet_files_is_one_table(tmp_path: Path) -> None:
    folder = tmp_path / "people.parquet"
    folder.mkdir()
    (folder / "_SUCCESS").write_text("")
    write_parquet(folder / "part-00000.parquet", {"id": [1, 2], "x": [1, 2], "c": ["a", None]})
    write_parquet(folder / "part-00001.parquet", {"c": ["b"], "x": [3], "id": [3]})
    rows = read(str(folder))
    assert rows.ids == [1, 2, 3] and isinstance(rows.features, pd.DataFrame) and rows.features["x"].tolist() == [1, 2, 3]
    write_parquet(folder / "part-00002.parquet", {"id": [4], "y": [3]})
    with pytest.raises(ValueError, match="Parquet files that have not the same columns"):
        read(str(folder))


@pytest.mark.parametrize("kind", [pa.decimal128(38, 0), pa.decimal256(60, 0), pa.decimal128(38, 9), pa.decimal256(70, 9)])
def test_wide_decimals(kind: pa.DataType, tmp_path: Path) -> None:
    whole = pa.array([12345678901234567, 2]).cast(pa.decimal128(38, 0))
    columns = {"id": whole.cast(pa.decimal256(60, 0)), "x": pa.array([5, 7]).cast(pa.decimal128(19, 0)).cast(kind)}
    rows = read(write_parquet(tmp_path / "a.parquet", columns))
    assert isinstance(rows.features, pd.DataFrame) and rows.features["x"].tolist() == [5, 7]
    assert rows.ids == ["12345678901234567", "2"]


def test_a_dataset_is_refused_when_it_is_given() -> None:
    dataset = torch.utils.data.TensorDataset(torch.ones(3, 2))
    for features in (dataset, np.ones((3, 2)), [1, 2, 3]):
        with pytest.raises(TypeError, match=r"give a tensor \[rows, …\] or a pandas.DataFrame"):
            PartyTable([1, 2, 3], features)  # type: ignore[arg-type]
