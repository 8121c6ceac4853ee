"""A party's own file becomes its rows, whatever its kind; what is no good is told in a sentence without any id."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from own_files import SECRET, write_csv, write_images, write_npz, write_parquet, write_pt
from PIL import Image
from torch import Tensor

from vertical_lightning.data.files.party_file import PartyFile
from vertical_lightning.data.files.party_rows import PartyRows
from vertical_lightning.data.preprocessing import preprocessor
from vertical_lightning.psi.identifiers import canonical, encode

A, B, C = (f"{SECRET}-{letter}" for letter in "abc")


def read_csv(folder: Path, text: str, name: str = "people.csv", **options: Any) -> PartyRows:
    return PartyFile(write_csv(folder / name, text), **options).read("bank")


def read_parquet(folder: Path, columns: dict[str, Any], **options: Any) -> PartyRows:
    return PartyFile(write_parquet(folder / "people.parquet", columns), **options).read("bank")


def columns_of(rows: PartyRows) -> dict[str, list[Any]]:
    assert isinstance(rows.features, pd.DataFrame)
    return {str(name): list(rows.features[name]) for name in rows.features}


def tensor_of(rows: PartyRows) -> Tensor:
    assert isinstance(rows.features, Tensor)
    return rows.features


# --- ids


@pytest.mark.parametrize("name", ["people.csv", "people.csv.gz", "PEOPLE.CSV"])
def test_ids_of_a_csv_are_the_text_in_the_file(name: str, tmp_path: Path) -> None:
    big = str(2**70 + 1)
    rows = read_csv(tmp_path, f"id,age\n007,1\n{big},2\n 5 ,3\n1.0,4\n", name)
    assert rows.ids == ["007", big, " 5 ", "1.0"]
    assert columns_of(rows) == {"age": [1, 2, 3, 4]}
    assert rows.rows.tolist() == [0, 1, 2, 3] and rows.rows.dtype == torch.int64
    assert (rows.repeated, rows.missing, rows.labels) == (0, 0, None)


def test_a_missing_id_stays_missing_and_leaves_the_others_alone(tmp_path: Path) -> None:
    csv = read_csv(tmp_path, "id,age\n1,1\n,2\n3,3\n")
    parquet = read_parquet(tmp_path, {"id": pa.array([1, None, 3]), "age": [1, 2, 3]})
    assert csv.ids == ["1", None, "3"]
    assert parquet.ids == [1, None, 3] and isinstance(parquet.ids[0], int)
    for rows in (csv, parquet):
        with pytest.raises(ValueError, match=r"1 missing \(None or NaN\) \(row 1\)"):
            canonical(rows.ids, "bank")


def test_integers_of_parquet_stay_integers(tmp_path: Path) -> None:
    for kind in (pa.int64(), pa.uint64(), pa.decimal128(20, 0)):
        values = pa.array([2**53 + 1, 5], pa.int64()).cast(kind)
        assert canonical(read_parquet(tmp_path, {"id": values, "x": [1, 2]}).ids, "bank") == [b"9007199254740993", b"5"]


def test_ids_of_floats_are_left_for_aligning_to_refuse(tmp_path: Path) -> None:
    for rows in (
        read_parquet(tmp_path, {"id": [1.0, 2.0], "x": [1, 2]}),
        PartyFile(write_npz(tmp_path / "a.npz", id=np.array([1.0, 2.0]), features=np.eye(2))).read("bank"),
    ):
        with pytest.raises(ValueError, match="2 of type float"):
            canonical(rows.ids, "bank")


def test_several_columns_are_a_composite_key(tmp_path: Path) -> None:
    options: dict[str, Any] = {"id": ["country", "number"]}
    csv = read_csv(tmp_path, "number,x,country\n07,1,de\n,2,at\n", **options)
    assert csv.ids == [("de", "07"), ("at", None)]
    assert columns_of(csv) == {"x": [1, 2]}
    parquet = read_parquet(tmp_path, {"country": ["de", "at"], "number": [7, None]}, **options)
    assert parquet.ids == [("de", 7), ("at", None)]
    path = write_pt(tmp_path / "a.pt", {"country": ["de"], "number": torch.tensor([7]), "features": torch.ones(1, 1)})
    assert PartyFile(path, **options).read("bank").ids == [("de", 7)]


def test_one_column_in_a_list_is_a_plain_key(tmp_path: Path) -> None:
    assert read_csv(tmp_path, "key\n7\n", id=["key"]).ids == ["7"]


def test_ids_are_not_shown_with_the_rows(tmp_path: Path) -> None:
    assert A not in repr(read_csv(tmp_path, f"id,x\n{A},1\n"))


# --- duplicates

TWICE = "id,x,y\n5,1,a\n6,2,b\n 5,3,c\nZoe\u0301,4,d\n7,5,e\nZo\u00e9,6,f\n5,7,g\n"


def test_the_first_row_of_each_id_is_kept(tmp_path: Path) -> None:
    rows = read_csv(tmp_path, TWICE, label="y", duplicates="first")
    assert rows.rows.tolist() == [0, 1, 3, 4]
    assert rows.repeated == 3
    assert rows.ids == ["5", "6", "Zoe\u0301", "7"]
    assert isinstance(rows.features, pd.DataFrame) and rows.features["x"].to_dict() == {0: 1, 1: 2, 2: 4, 3: 5}
    assert rows.labels is not None and rows.labels.to_dict() == {0: "a", 1: "b", 2: "d", 3: "e"}


def test_all_rows_of_a_repeated_id_are_dropped(tmp_path: Path) -> None:
    rows = read_csv(tmp_path, TWICE, label="y", duplicates="drop")
    assert (rows.rows.tolist(), rows.repeated, rows.ids) == ([1, 4], 5, ["6", "7"])
    assert rows.labels is not None and rows.labels.tolist() == ["b", "e"]


def test_rows_of_tensors_are_dropped_alike(tmp_path: Path) -> None:
    path = write_npz(tmp_path / "a.npz", id=np.array([5, 6, 5]), features=np.array([[0.0], [1.0], [2.0]]))
    assert tensor_of(PartyFile(path, duplicates="first").read("bank")).tolist() == [[0], [1]]
    assert tensor_of(PartyFile(path, duplicates="drop").read("bank")).tolist() == [[1]]


def test_composite_keys_repeat_as_a_whole(tmp_path: Path) -> None:
    rows = read_csv(tmp_path, "a,b\n1,2\n1,3\n1, 2\n", id=["a", "b"], duplicates="first")
    assert rows.ids == [("1", "2"), ("1", "3")]


def test_missing_ids_do_not_repeat_each_other(tmp_path: Path) -> None:
    rows = read_csv(tmp_path, "id,x\n1,1\n,2\n,3\n")
    assert rows.ids == ["1", None, None]


def test_unusable_ids_are_refused_before_dropping_rows_changes_their_numbers(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"1 missing \(None or NaN\) \(row 2\)"):
        read_csv(tmp_path, "id,x\n1,1\n1,2\n,3\n", duplicates="first")


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from(["5", " 5", "6", "é", "e\u0301", "007"]), min_size=1, max_size=8))
def test_duplicates_are_those_that_aligning_would_find(ids: list[str]) -> None:
    keys = [encode(value) for value in ids]
    first = [row for row, key in enumerate(keys) if key not in keys[:row]]
    once = [row for row, key in enumerate(keys) if keys.count(key) == 1]
    with TemporaryDirectory() as folder:
        file = PartyFile(write_pt(Path(folder) / "a.pt", {"id": ids}), columns=[])
        assert replace(file, duplicates="first").read("bank").rows.tolist() == first
        if once:
            assert replace(file, duplicates="drop").read("bank").rows.tolist() == once
        if len(first) < len(ids):
            several = sum(keys.count(key) > 1 for key in set(keys))
            with pytest.raises(ValueError, match=f"{several} ids occur more than once"):
                file.read("bank")
        else:
            assert file.read("bank").rows.tolist() == first


# --- columns


def test_dtypes_say_what_a_column_is_and_lists_override_them(tmp_path: Path) -> None:
    text = "id,n,zip,job,age\n1,1.5,007,cook,31\n2,,4711,,32\n3,2.5,,nurse,33\n"
    plain = read_csv(tmp_path, text)
    assert isinstance(plain.features, pd.DataFrame)
    numeric = [pd.api.types.is_numeric_dtype(plain.features[name]) for name in ("n", "zip", "job", "age")]
    assert numeric == [True, True, False, True]
    meant = read_csv(tmp_path, text, categories=["zip", "age"])
    assert isinstance(meant.features, pd.DataFrame)
    assert meant.features["zip"].tolist() == ["007", "4711", pd.NA]
    assert meant.features["age"].tolist() == ["31", "32", "33"]
    assert plain.missing == meant.missing == 3


def test_columns_of_parquet_are_numbers_or_categories_too(tmp_path: Path) -> None:
    columns = {
        "id": [1, 2],
        "flag": pa.array([True, None]),
        "count": pa.array([2**40, None]),
        "price": pa.array([Decimal("1.50"), None]),
        "void": pa.nulls(2),
        "code": pa.array([7, None]),
        "text": pa.array(["1.5", None]),
        "word": pa.array(["a", None]).dictionary_encode(),
    }
    rows = read_parquet(tmp_path, columns, categories=["code"], numbers=["text"])
    assert isinstance(rows.features, pd.DataFrame)
    numeric = {str(name): pd.api.types.is_numeric_dtype(rows.features[name]) for name in rows.features}
    assert [name for name, number in numeric.items() if not number] == ["code", "word"]
    assert rows.features.iloc[0].tolist()[:3] == [True, 2**40, 1.5]
    assert rows.features["code"].tolist()[0] == "7"  # not "7.0"
    assert rows.missing == 8  # one in each of six columns, two in the void one


def test_true_false_and_missing_are_numbers_in_a_csv(tmp_path: Path) -> None:
    rows = read_csv(tmp_path, "id,flag\n1,True\n2,\n3,False\n")
    assert isinstance(rows.features, pd.DataFrame) and pd.api.types.is_numeric_dtype(rows.features["flag"])
    assert rows.missing == 1


def test_only_the_named_columns_are_features_id_and_label_never(tmp_path: Path) -> None:
    text = "x,id,y,z\n1,a,0,2\n"
    assert list(columns_of(read_csv(tmp_path, text))) == ["x", "y", "z"]
    assert list(columns_of(read_csv(tmp_path, text, label="y"))) == ["x", "z"]
    assert list(columns_of(read_csv(tmp_path, text, label="y", columns=["z", "id", "y", "z"]))) == ["z"]
    assert read_csv(tmp_path, text, label="y", columns=[]).features is None
    assert read_csv(tmp_path, "id,y\n1,2\n", label="y").features is None


def test_a_column_without_a_name_may_be_left_out(tmp_path: Path) -> None:
    assert columns_of(read_csv(tmp_path, ",id,x\n0,a,1\n1,b,2\n", columns=["x"])) == {"x": [1, 2]}


def test_pandas_own_index_is_no_feature_of_parquet_but_a_named_one_is_a_column(tmp_path: Path) -> None:
    path = tmp_path / "people.parquet"
    frame = pd.DataFrame({"id": ["a", "b", "c"], "x": [1, 2, 3]})
    frame.iloc[[2, 0, 1]].to_parquet(path)
    assert columns_of(PartyFile(str(path)).read("bank")) == {"x": [3, 1, 2]}
    frame.set_index("id").to_parquet(path)
    assert PartyFile(str(path)).read("bank").ids == ["a", "b", "c"]


def test_numbers_in_text_are_numbers_if_listed(tmp_path: Path) -> None:
    rows = read_parquet(tmp_path, {"id": [1, 2, 3], "x": [" 1.5 ", "2", None]}, numbers=["x"])
    assert rows.features is not None
    assert preprocessor(rows.features).transform(rows.features).shape == (3, 1)
    assert columns_of(rows)["x"][:2] == [1.5, 2] and rows.missing == 1


def test_an_entirely_missing_column_is_counted(tmp_path: Path) -> None:
    rows = read_csv(tmp_path, "id,x,gap\n1,1,\n2,2,\n")
    assert rows.missing == 2 and list(columns_of(rows)) == ["x", "gap"]


def test_missing_values_of_dropped_rows_do_not_count(tmp_path: Path) -> None:
    assert read_csv(tmp_path, "id,x\n1,1\n1,\n2,3\n", duplicates="first").missing == 0


def test_text_with_few_or_repeating_values_is_a_category(tmp_path: Path) -> None:
    few = "".join(f"{row},w{row}\n" for row in range(100))
    repeating = "".join(f"{row},w{row % 101}\n" for row in range(202))
    for lines in (few, repeating):
        assert read_csv(tmp_path, f"id,word\n{lines}").features is not None
    many = "".join(f"{row},w{row}\n" for row in range(101))
    assert read_csv(tmp_path, f"id,word\n{many}", categories=["word"]).features is not None
    assert read_csv(tmp_path, f"id,word\n{many}", columns=[]).features is None


def test_dates_are_categories_if_listed(tmp_path: Path) -> None:
    rows = read_parquet(tmp_path, {"id": [1, 2], "day": [date(2020, 1, 1), None]}, categories=["day"])
    assert columns_of(rows)["day"][0].startswith("2020-01-01")


def test_labels_are_raw(tmp_path: Path) -> None:
    for text, expected in (("id,y\n1,no\n2,yes\n", ["no", "yes"]), ("id,y\n1,3\n2,1\n", [3, 1])):
        labels = read_csv(tmp_path, text, label="y").labels
        assert labels is not None and labels.tolist() == expected and labels.name == "y"


# --- arrays and images


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16, np.int64, np.int32, np.uint16, np.bool_])
def test_numbers_of_any_kind_stay_what_they_are(dtype: Any, tmp_path: Path) -> None:
    array = np.array([[0, 1], [1, 0]], dtype=dtype)
    for path in (
        write_npz(tmp_path / "a.npz", id=np.array(["a", "b"]), features=array),
        write_pt(tmp_path / "a.pt", {"id": ["a", "b"], "features": torch.from_numpy(array)}),
    ):
        features = tensor_of(PartyFile(path).read("bank"))
        assert features.tolist() == array.tolist()
        assert preprocessor(features).transform(features).tolist() == [[-1, 1], [1, -1]]


def test_bytes_stay_bytes_of_any_shape(tmp_path: Path) -> None:
    pixels = torch.arange(24, dtype=torch.uint8).reshape(2, 1, 3, 4)
    path = write_pt(tmp_path / "a.pt", {"key": torch.tensor([7, 8]), "features": pixels, "digit": [3, 1]})
    rows = PartyFile(path, id="key", label="digit").read("bank")
    assert torch.equal(tensor_of(rows), pixels) and tensor_of(rows).dtype == torch.uint8
    assert rows.ids == [7, 8] and rows.labels is not None and rows.labels.tolist() == [3, 1]


def test_lists_and_single_columns_are_features(tmp_path: Path) -> None:
    rows = PartyFile(write_pt(tmp_path / "a.pt", {"id": ("a", "b"), "features": [1, 2]})).read("bank")
    assert tensor_of(rows).tolist() == [[1], [2]]


def test_missing_numbers_of_an_array_are_counted(tmp_path: Path) -> None:
    features = np.array([[1, np.nan], [np.nan, np.nan]])
    assert PartyFile(write_npz(tmp_path / "a.npz", id=np.array([1, 2]), features=features)).read("bank").missing == 3


def test_arrays_without_features_are_a_party_without_any(tmp_path: Path) -> None:
    path = write_npz(tmp_path / "a.npz", id=np.array([1, 2]), y=np.array(["no", "yes"]))
    rows = PartyFile(path, label="y", columns=[]).read("bank")
    assert rows.features is None and rows.labels is not None and rows.labels.tolist() == ["no", "yes"]


def test_a_saved_parameter_brings_no_gradient_along(tmp_path: Path) -> None:
    path = write_pt(tmp_path / "a.pt", {"id": ["a"], "features": torch.nn.Parameter(torch.ones(1, 2))})
    assert not tensor_of(PartyFile(path).read("bank")).requires_grad


@pytest.mark.parametrize(("mode", "channels"), [("L", 1), ("LA", 2), ("RGB", 3), ("RGBA", 4)])
def test_images_are_read_in_the_order_of_their_names(mode: str, channels: int, tmp_path: Path) -> None:
    path = write_images(tmp_path / "images", ["b.png", "a.PNG", "c.d.png"], mode)
    (tmp_path / "images" / "notes.txt").write_text("not an image")
    (tmp_path / "images" / "._b.png").write_text("macOS writes such")
    rows = PartyFile(path).read("bank")
    assert rows.ids == ["a", "b", "c.d"]
    features = tensor_of(rows)
    assert features.shape == (3, channels, 2, 3) and features.dtype == torch.uint8
    assert features[:, 0, 0, 0].tolist() == [1, 0, 2]


def test_rows_and_columns_of_an_image_are_not_mixed_up(tmp_path: Path) -> None:
    pixels = np.arange(18, dtype=np.uint8).reshape(2, 3, 3)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    assert tensor_of(PartyFile(str(tmp_path)).read("bank"))[0].permute(1, 2, 0).tolist() == pixels.tolist()


def test_jpg_and_jpeg_are_images_and_one_name_twice_is_one_id_twice(tmp_path: Path) -> None:
    path = write_images(tmp_path / "images", ["a.jpg", "b.jpeg", "b.png"])
    rows = PartyFile(path, duplicates="first").read("bank")
    assert (rows.ids, rows.repeated) == (["a", "b"], 1)


def test_home_and_the_current_folder_are_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_csv(tmp_path / "people.csv", "id\n7\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert PartyFile("~/people.csv").read("bank").ids == ["7"]
    monkeypatch.chdir(tmp_path)
    assert PartyFile("people.csv").read("bank").ids == ["7"]


def test_the_test_file_is_not_touched(tmp_path: Path) -> None:
    assert read_csv(tmp_path, "id\n7\n", test_path="nowhere.csv").ids == ["7"]


# --- one table in five files

PANDAS_MISSING = {"NA", "NULL", "NaN", "nan", "null", "None", "N/A", "n/a", "<NA>", "-nan", "-NaN", "#N/A", "#NA"}
TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=5)
IDS = TEXT.filter(lambda text: text.strip() != "" and text.strip() not in PANDAS_MISSING) | st.from_regex(
    r"0{0,2}[1-9]{1,3}", fullmatch=True
)
ROWS = st.tuples(
    st.integers(-100, 100),
    st.integers(-8, 8).map(lambda number: number / 4),
    st.sampled_from([True, False, None]),
    st.sampled_from(["007", "7", "a,b", "é", 'q"q', None]),
)


def write_all(folder: Path, ids: list[Any], table: list[tuple[Any, ...]]) -> list[str]:
    """Write one table to five files; arrays hold its first two columns."""
    count, quarter, flag, word = (list(column) for column in zip(*table, strict=True))
    frame = pd.DataFrame({"id": ids, "count": count, "quarter": quarter, "flag": flag, "word": word}, dtype=object)
    parquet = {
        "id": ids,
        "count": count,
        "quarter": quarter,
        "flag": pa.array(flag, pa.bool_()),
        "word": pa.array(word, pa.string()),
    }
    numbers = np.array([count, quarter]).T
    return [
        write_csv(folder / "a.csv", frame.to_csv(index=False)),
        write_csv(folder / "a.csv.gz", frame.to_csv(index=False)),
        write_parquet(folder / "a.parquet", parquet),
        write_npz(folder / "a.npz", id=np.array(ids), features=numbers),
        write_pt(folder / "a.pt", {"id": ids, "features": torch.tensor(numbers)}),
    ]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(IDS, min_size=1, max_size=6, unique_by=encode)
    | st.lists(st.integers(-(2**62), 2**62), min_size=1, max_size=6, unique=True),
    st.data(),
)
def test_one_table_is_the_same_in_every_kind_of_file(ids: list[Any], data: st.DataObject) -> None:
    table = data.draw(st.lists(ROWS, min_size=len(ids), max_size=len(ids)))
    with TemporaryDirectory() as folder:
        csv, gz, parquet, npz, pt = write_all(Path(folder), ids, table)
        whole = [PartyFile(path, categories=["word"]).read("bank") for path in (csv, gz, parquet)]
        numbers = [PartyFile(path, columns=["count", "quarter"]).read("bank") for path in (csv, gz, parquet)]
        arrays = [PartyFile(path).read("bank") for path in (npz, pt)]
    for rows in (*whole, *numbers, *arrays):
        assert canonical(rows.ids, "bank") == canonical(ids, "bank")
    assert {rows.missing for rows in whole} == {sum(value is None for row in table for value in row)}
    for group, tolerance in ((whole, 0.0), ([*numbers, *arrays], 1e-6)):
        encoded = [preprocessor(rows.features).transform(rows.features) for rows in group if rows.features is not None]
        assert len(encoded) == len(group)
        for other in encoded[1:]:
            assert torch.allclose(encoded[0], other, rtol=0, atol=tolerance)


# --- what is refused

Case = tuple[str, Callable[[Path], PartyFile]]


def csv(text: str, **options: Any) -> Callable[[Path], PartyFile]:
    return lambda folder: PartyFile(write_csv(folder / "people.csv", text), **options)


def parquet(columns: dict[str, Any], **options: Any) -> Callable[[Path], PartyFile]:
    return lambda folder: PartyFile(write_parquet(folder / "people.parquet", columns), **options)


def npz(**arrays: Any) -> Callable[[Path], PartyFile]:
    options = {name: arrays.pop(name) for name in ("label", "columns", "numbers") if name in arrays}
    return lambda folder: PartyFile(write_npz(folder / "people.npz", **arrays), **options)


def pt(content: Any, **options: Any) -> Callable[[Path], PartyFile]:
    return lambda folder: PartyFile(write_pt(folder / "people.pt", content), **options)


def raw(name: str, content: bytes) -> Callable[[Path], PartyFile]:
    def build(folder: Path) -> PartyFile:
        (folder / name).write_bytes(content)
        return PartyFile(str(folder / name))

    return build


def images(names: list[str], **options: Any) -> Callable[[Path], PartyFile]:
    return lambda folder: PartyFile(write_images(folder / "images", names), **options)


def other_images(mode: str, size: tuple[int, int]) -> Callable[[Path], PartyFile]:
    def build(folder: Path) -> PartyFile:
        write_images(folder / "images", [f"{A}.png", f"{B}.png"])
        return PartyFile(write_images(folder / "images", [f"{C}.png"], mode, size))

    return build


def palette(folder: Path) -> PartyFile:
    Image.new("P", (2, 2)).save(folder / f"{A}.png")
    return PartyFile(str(folder))


def broken_image(content: Callable[[bytes], bytes]) -> Callable[[Path], PartyFile]:
    def build(folder: Path) -> PartyFile:
        path = write_images(folder / "images", [f"{A}.png", f"{B}.png"])
        file = folder / "images" / f"{B}.png"
        file.write_bytes(content(file.read_bytes()))
        return PartyFile(path)

    return build


def cut_short(build: Callable[[Path], PartyFile], rename: str | None = None) -> Callable[[Path], PartyFile]:
    def shorter(folder: Path) -> PartyFile:
        file = build(folder)
        path = Path(file.path)
        path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
        return replace(file, path=str(path.rename(folder / rename))) if rename else file

    return shorter


def shared_name(folder: Path) -> PartyFile:
    table = pa.table([[A], [1], [2]], names=["id", "x", "x"])
    pq.write_table(table, folder / "people.parquet")
    return PartyFile(str(folder / "people.parquet"))


def free_text(**options: Any) -> Callable[[Path], PartyFile]:
    return csv("id,note\n" + "".join(f"{SECRET}{row},about {SECRET}{row}\n" for row in range(101)), **options)


ONE = np.array([A, B])
BAD: dict[str, Case] = {
    "duplicates": (
        r"2 ids occur more than once \(rows 0, 1, 2, 3\).*duplicates=first keeps.*duplicates=drop drops",
        csv(f"id,x\n{A},1\n{B},2\n {A},3\n{B},4\n{C},5\n"),
    ),
    "nothing left": ("leaves no row.*duplicates=first", csv(f"id,x\n{A},1\n{A},2\n", duplicates="drop")),
    "missing id beside duplicates": (r"missing.*row 2", csv(f"id,x\n{A},1\n{A},2\n,3\n", duplicates="first")),
    "unknown id": ("no column id", csv(f"key,x\n{A},1\n")),
    "unknown label": ("no column y", csv(f"id,x\n{A},1\n", label="y")),
    "unknown columns": ("no column y, z", csv(f"id,x\n{A},1\n", columns=["x", "y", "z"])),
    "unknown categories": ("no column y", csv(f"id,x\n{A},1\n", categories=["y"])),
    "unknown numbers": ("no column y", parquet({"id": [A], "x": [1]}, numbers=["y"])),
    "no header": ("no column id", csv(f"{A},31\n{B},32\n")),
    "no header, addresses": ("none with a name like that", csv(f"{A}@x.org,cook\n{B}@x.org,nurse\n")),
    "no header, all text, dates": ("none with a name like that", csv(f"{A},2020-01-31\n{B},2021-02-28\n")),
    "shared name": ("1 names that several columns share", csv(f"id,x,x\n{A},1,2\n")),
    "shared name, parquet": ("1 names that several columns share", shared_name),
    "no name": ("column without a name.*index=False", csv(f",id,x\n0,{A},1\n")),
    "no numbers": (
        r"column x is listed in numbers=, but 6 of its values are no numbers \(rows 1, 2, 3, 4, 5 and 1 more\)",
        csv(f"id,x\n{A}0,1\n" + "".join(f"{A}{row},{SECRET}\n" for row in range(1, 7)), numbers=["x"]),
    ),
    "no numbers, rows of the file": (
        r"1 of its values are no numbers \(row 3\)",
        csv(f"id,x\n{A},1\n{A},2\n{B},3\n{C},{SECRET}\n", numbers=["x"], duplicates="first"),
    ),
    "infinite": ("infinite numbers: 2 in x, 1 in y. Only finite", csv(f"id,x,y\n{A},inf,1\n{B},-inf,inf\n")),
    "infinite tensor": ("infinite numbers: 2 in features", npz(id=ONE, features=np.array([[1, np.inf], [1e300, 1]]))),
    "dates": ("column day holds dates or times.*an age in days", parquet({"id": [A], "day": [date(2020, 1, 1)]})),
    "times": ("column t holds dates or times", parquet({"id": [A], "t": [datetime(2020, 1, 1)]}, numbers=["t"])),
    "durations": ("column t holds dates or times", parquet({"id": [A], "t": [timedelta(1)]})),
    "lists": ("lists or structures in columns x", parquet({"id": [A], "x": [[1, 2]]})),
    "free text": ("column note has 101 different values in 101 rows.*columns=.*categories=", free_text()),
    "missing labels": (r"2 labels are missing in y \(rows 1, 2\)", csv(f"id,y\n{A},1\n{B},\n{C},\n", label="y")),
    "missing labels, rows of the file": (
        r"1 labels are missing in y \(row 2\)",
        csv(f"id,y\n{A},1\n{A},2\n{B},\n", label="y", duplicates="first"),
    ),
    "missing labels, list": (r"1 labels are missing in y \(row 0\)", pt({"id": [A], "y": [None]}, label="y", columns=[])),
    "no such file": ("does not exist", lambda folder: PartyFile(str(folder / "people.csv"))),
    "unknown suffix": (r"\.csv, \.csv\.gz, \.parquet, \.npz, \.pt, or a folder of images", raw("a.xlsx", A.encode())),
    "no suffix": ("or a folder of images", raw("people", A.encode())),
    "empty csv": ("is empty", raw("a.csv", b"")),
    "empty parquet": ("is empty", raw("a.parquet", b"")),
    "blank csv": ("cannot be read as CSV .*EmptyDataError", raw("a.csv", b"\n\n")),
    "only names": ("names of columns but no rows", raw("a.csv", b"id,x\n")),
    "only names, parquet": (
        "names of columns but no rows",
        parquet({"id": pa.array([], pa.string()), "x": pa.array([], pa.int64())}),
    ),
    "latin-1": ("cannot be read as CSV .UTF-8.*UnicodeDecodeError", raw("a.csv", f"id,x\n{A},é\n".encode("latin-1"))),
    "late latin-1": ("UnicodeDecodeError", raw("a.csv", f"id,x\n{A},a\n{B},b\n{C},é\n".encode("latin-1"))),
    "first row too long": ("Expected 2 fields in line 2, saw 3", csv(f"id,x\n{A},1,2\n{B},3,4\n")),
    "a row too long": ("Expected 2 fields in line 3, saw 3", csv(f"id,x\n{A},1\n{B},3,4\n")),
    "a row too long, few columns": ("Expected 2 fields in line 3, saw 3", csv(f"id,x\n{A},1\n{B},3,4\n", columns=[])),
    "semicolons": ("seems to have a semicolon between its columns: say sep=semicolon", csv(f"id;x\n{A};1\n")),
    "no gzip": ("cannot be read as CSV .*BadGzipFile", raw("a.csv.gz", f"id,x\n{A},1\n".encode())),
    "no parquet": ("cannot be read as Parquet", raw("a.parquet", f"id,x\n{A},1\n".encode())),
    "half a parquet": ("cannot be read as Parquet", cut_short(parquet({"id": [A], "x": [1]}))),
    "no npz": ("cannot be read as npz", raw("a.npz", A.encode())),
    "half an npz": ("cannot be read as npz", cut_short(npz(id=ONE, features=np.eye(2)))),
    "no pt": ("cannot be read as pt", raw("a.pt", A.encode())),
    "half a pt": ("cannot be read as pt", cut_short(pt({"id": [A], "features": torch.ones(1, 1)}))),
    "npz of objects": ("cannot be read as npz.*without objects", npz(id=np.array([A, None], dtype=object), features=np.eye(2))),
    "pt of objects": ("cannot be read as pt", pt({"id": [A], "features": Path(SECRET)})),
    "pt without dict": ("cannot be read as pt .a dict", pt(torch.ones(2))),
    "npz without id": ("no array id", npz(key=ONE, features=np.eye(2))),
    "npz without features": ("no array features", npz(id=ONE)),
    "npz without label": ("no array y", npz(id=ONE, features=np.eye(2), label="y")),
    "lengths": ("lengths: id 2, y 1, features 3", npz(id=ONE, y=np.array([1]), features=np.eye(3), label="y")),
    "no rows": ("lengths: id 0, features 0", npz(id=np.array([], dtype=str), features=np.zeros((0, 2)))),
    "ids in two dimensions": (r"id is \[2, 1\]; it must hold one value a row", npz(id=ONE[:, None], features=np.eye(2))),
    "ids in no list": ("id is dict; it must hold one value a row", pt({"id": {A: 1}, "features": torch.ones(1, 1)})),
    "features of text": ("features cannot be read as a tensor of numbers", npz(id=ONE, features=ONE)),
    "ragged features": ("features cannot be read as a tensor", pt({"id": [A, B], "features": [[1.0], [1.0, 2.0]]})),
    "complex features": ("dense tensor of real numbers", npz(id=ONE, features=np.eye(2) * 1j)),
    "sparse features": ("dense tensor of real numbers", pt({"id": [A, B], "features": torch.eye(2).to_sparse()})),
    "one number": ("dense tensor of real numbers", npz(id=ONE, features=np.array(1.0))),
    "columns of arrays": ("has no named columns", npz(id=ONE, features=np.eye(2), columns=["x"])),
    "numbers of arrays": ("has no named columns", npz(id=ONE, features=np.eye(2), numbers=["x"])),
    "ids as features": ("features holds the features, never ids", pt({"features": [4711]}, id="features")),
    "labels of images": ("hold no labels, but label=y. Set label=null", images([f"{A}.png"], label="y")),
    "no images": ("folder without images.*.png, .jpg, .jpeg", lambda folder: PartyFile(str(folder))),
    "columns of images": ("has no named columns", images([f"{A}.png"], columns=["x"])),
    "sizes": (r"kinds: 2 of RGB 3 × 2, 1 of RGB 4 × 2\. All must be", other_images("RGB", (4, 2))),
    "modes": (r"kinds: 2 of RGB 3 × 2, 1 of L 3 × 2\. All must be", other_images("L", (3, 2))),
    "palette": ("kinds: 1 of P 2 × 2.*L, LA, RGB, RGBA", palette),
    "no image": (r"image 1 \(from 0, by name\) cannot be read as an image", broken_image(lambda content: SECRET.encode())),
    "half an image": (r"image 1 \(from 0, by name\) cannot be read as an image", broken_image(lambda content: content[:50])),
}


@pytest.mark.parametrize("case", BAD)
def test_says_what_is_wrong_and_shows_no_id(case: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    expected, build = BAD[case]
    file = build(tmp_path)
    with pytest.raises((ValueError, OSError), match=f"(?s){expected}") as caught:
        file.read("bank")
    message = str(caught.value)
    assert message.startswith(f"bank: {file.path}") and message.endswith(".")
    shown = "".join(traceback.format_exception(caught.value)) + "".join(capfd.readouterr())
    assert SECRET not in shown
    assert caught.value.__cause__ is None and caught.value.__context__ is None


SETTINGS: dict[str, tuple[str, dict[str, Any]]] = {
    "duplicates": ("duplicates=last is none of error, first, drop", {"duplicates": "last"}),
    "text for a list": (r"columns=age is one text; give a list: columns=\[age\]", {"columns": "age"}),
    "no id": ("at least one id", {"id": []}),
    "label is id": ("each column or array once", {"id": ["a", "b"], "label": "b"}),
    "number and category": ("x in categories= and in numbers=", {"categories": ["x"], "numbers": ["x", "y"]}),
}


@pytest.mark.parametrize("case", SETTINGS)
def test_settings_that_cannot_be_meant_are_refused_at_once(case: str) -> None:
    expected, options = SETTINGS[case]
    with pytest.raises(ValueError, match=expected):
        PartyFile("people.csv", **options)


@pytest.mark.slow
def test_a_million_rows(tmp_path: Path) -> None:
    rows = 1_000_000
    draw = np.random.default_rng(0)
    frame = pd.DataFrame({"id": np.arange(rows), "x": draw.random(rows), "job": draw.choice(["cook", "nurse"], rows)})
    frame.to_csv(tmp_path / "a.csv", index=False)
    assert len(PartyFile(str(tmp_path / "a.csv")).read("bank").ids) == rows
