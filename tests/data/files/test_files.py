"""Every party's own file: who may hold labels, official test rows, and what one party's file may not change of another's."""

import pandas as pd
import pytest
import torch

from vertical_lightning.data.datamodule import VerticalDataModule
from vertical_lightning.data.files.files import Files
from vertical_lightning.psi.openmined import OpenMined
from vertical_lightning.psi.star import Star


@pytest.fixture(name="parties")
def parties_fixture(tmp_path):
    """Two files: ids of different names and types, rows in different orders, something missing, something repeated."""
    bank = pd.DataFrame(
        {"customer": [5, 1, 2, 3, 4, 6], "age": [50, 10, 20, None, 40, 60], "late": ["n", "y", "n", "y", "n", "y"]}
    )
    shop = pd.DataFrame(
        {"key": ["2", "3", " 1", "4", "7", "7"], "spent": [2.0, 3.0, 1.0, 4.0, 7.0, 7.5], "kind": [*list("abab"), None, "a"]}
    )
    bank.to_csv(tmp_path / "bank.csv", index=False)
    shop.to_parquet(tmp_path / "shop.parquet")
    return {
        "bank": {"path": str(tmp_path / "bank.csv"), "id": "customer", "label": "late"},
        "shop": {"path": str(tmp_path / "shop.parquet"), "id": "key", "duplicates": "first"},
    }


def module(parties, **options):
    """Build the data module of two files, all rows for training."""
    files = Files(parties, **options)
    return VerticalDataModule(files, Star(OpenMined()), label_holder="bank", batch_size=2, val_fraction=0.0, test_fraction=0.0)


def test_rows_meet_by_their_ids(parties):
    """Integers in one file and text in the other: row i is one customer at both."""
    data = module(parties)
    data.setup("fit")
    parts = data.aligned("all")
    assert sorted(parts["bank"].ids) == ["1", "2", "3", "4"]
    assert [one.strip() for one in parts["shop"].ids] == list(parts["bank"].ids)
    assert parts["shop"].features["spent"].tolist() == [float(one) for one in parts["bank"].ids]
    assert parts["bank"].labels.tolist() == [int(one) % 2 for one in parts["bank"].ids] and data.classes == ("n", "y")
    assert data.shapes == {"bank": (1,), "shop": (3,)}


def test_what_was_missing_and_dropped_is_told(parties):
    held = Files(parties).load("bank").tables["all"]
    assert list(held["bank"].remarks) == ["1 missing values, which scaling will impute"]
    assert "1 rows dropped because their id occurs more than once" in held["shop"].remarks


def test_each_party_scales_by_its_own_rows(parties, tmp_path):
    """Another file at the bank changes nothing in the shop's block."""
    data = module(parties)
    data.setup("fit")
    frame = pd.read_csv(parties["bank"]["path"])
    frame["age"] *= 1000
    frame.to_csv(tmp_path / "bank.csv", index=False)
    other = module(parties)
    other.setup("fit")
    assert torch.equal(data.splits["train"].features["shop"], other.splits["train"].features["shop"])


def test_each_file_is_read_by_its_own_object_only(parties, monkeypatch):
    """No reader is given another party's path or name."""
    seen = {}
    original = type(Files(parties).parties["bank"]).read

    def read(self, party):
        seen[party] = self.path
        return original(self, party)

    monkeypatch.setattr("vertical_lightning.data.files.party_file.PartyFile.read", read)
    Files(parties).load("bank")
    assert seen == {party: settings["path"] for party, settings in parties.items()}


def test_official_test_rows(parties, tmp_path):
    """Where every party has a file of test rows, these are the test set, whatever the fractions say."""
    for party, settings in parties.items():
        settings["test_path"] = str(tmp_path / f"{party}_test.csv")
    pd.DataFrame({"customer": [8, 9], "age": [1, 2], "late": ["y", "y"]}).to_csv(parties["bank"]["test_path"], index=False)
    pd.DataFrame({"key": [9, 8], "spent": [1.0, 2.0], "kind": ["a", "z"]}).to_csv(parties["shop"]["test_path"], index=False)
    data = module(parties)
    data.setup("fit")
    assert list(data.alignments) == ["train", "test"]
    assert data.splits["test"].labels.tolist() == [1, 1]
    assert len(data.splits["train"]) == 4
    del parties["shop"]["test_path"]
    with pytest.raises(ValueError, match="bank have a test_path and shop have none"):
        Files(parties).load("bank")


def test_all_columns_in_one_hand(parties):
    """The baseline puts the parties' columns side by side, on the same rows."""
    data = module(parties)
    data.baseline = "centralized"
    data.setup("fit")
    assert list(data.aligned("all")["bank"].features) == ["bank.age", "shop.spent", "shop.kind"]
    assert data.shapes == {"bank": (4,)}


def test_images_cannot_stand_beside_columns(parties, tmp_path):
    torch.save({"key": ["1", "2", "3"], "features": torch.zeros(3, 1, 2, 2)}, tmp_path / "shop.pt")
    data = module({"bank": parties["bank"], "shop": {"path": str(tmp_path / "shop.pt"), "id": "key"}})
    data.baseline = "centralized"
    with pytest.raises(ValueError, match="shop has none: a tensor"):
        data.setup("fit")


def written(tmp_path, **files):
    """Write CSV files by name; return settings of two parties, the bank with test rows of its own if there are any."""
    for name, text in files.items():
        (tmp_path / f"{name}.csv").write_text(text)
    settings = {party: {"path": str(tmp_path / f"{party}.csv")} for party in ("bank", "shop")}
    for party in settings:
        if f"{party}_test" in files:
            settings[party]["test_path"] = str(tmp_path / f"{party}_test.csv")
    settings["bank"]["label"] = "y"
    return settings


def test_test_rows_are_read_as_training_rows_are(tmp_path):
    """A category that looks like a number in the test file alone is the category that it was in training."""
    bank, bank_test = "id,y\n1,a\n2,b\n3,a\n", "id,y\n8,a\n9,b\n"
    shop, shop_test = "id,zip\n1,007\n2,A12\n3,007\n", "id,zip\n8,007\n9,007\n"
    data = module(written(tmp_path, bank=bank, bank_test=bank_test, shop=shop, shop_test=shop_test))
    data.setup("fit")
    assert data.splits["test"].features["shop"].tolist() == [[1.0, 0.0], [1.0, 0.0]]


def test_a_number_that_is_none_in_the_test_file_is_named_without_its_value(tmp_path):
    bank, bank_test = "id,y\n1,a\n2,b\n", "id,y\n8,a\n9,b\n"
    settings = written(
        tmp_path, bank=bank, bank_test=bank_test, shop="id,age\n1,31\n2,32\n", shop_test="id,age\n8,secret\n9,3\n"
    )
    with pytest.raises(ValueError, match=r"shop: .*shop_test.csv: column age .* 1 of its values are no numbers") as caught:
        Files(settings).load("bank")
    assert "secret" not in str(caught.value)


def test_test_rows_are_other_entities(tmp_path):
    settings = written(
        tmp_path, bank="id,y\n1,a\n2,b\n", bank_test="id,y\n 2,a\n9,b\n", shop="id,x\n1,1\n", shop_test="id,x\n9,1\n"
    )
    with pytest.raises(ValueError, match=r"bank: 1 ids of .*bank_test.csv are in .*bank.csv too"):
        Files(settings).load("bank")


def test_tensors_of_other_shapes_in_the_test_file(parties, tmp_path):
    """They would be broadcast without a word."""
    for name, width in (("shop", 4), ("shop_test", 1)):
        ids = [1, 2, 3, 4] if width == 4 else [8, 9]
        torch.save({"key": ids, "features": torch.zeros(len(ids), width)}, tmp_path / f"{name}.pt")
    pd.DataFrame({"customer": [8, 9], "age": [1, 2], "late": ["y", "n"]}).to_csv(tmp_path / "bank_test.csv", index=False)
    shop = {"path": str(tmp_path / "shop.pt"), "test_path": str(tmp_path / "shop_test.pt"), "id": "key"}
    data = module({"bank": parties["bank"] | {"test_path": str(tmp_path / "bank_test.csv")}, "shop": shop})
    with pytest.raises(ValueError, match=r"shop's features differ from table to table: .*train \[4\] of numbers, test \[1\]"):
        data.setup("fit")


def test_large_labels_keep_what_tells_them_apart(tmp_path):
    """Seconds since 1970: in float32 all of them were one number."""
    rows = range(1_700_000_000, 1_700_000_060)
    bank = "id,y\n" + "".join(f"{row},{row}\n" for row in rows)
    data = module(written(tmp_path, bank=bank, shop="id,x\n" + "".join(f"{row},{row % 7}\n" for row in rows)))
    data.setup("fit")
    assert data.classes == () and len(set(data.splits["train"].labels.tolist())) == 60


def test_words_that_pandas_takes_for_missing(tmp_path):
    """A grade may be None and a country NA; in columns of numbers NA is missing."""
    bank = "id,y,z\nNA,None,1\nDE,mild,NA\nFR,severe,3\n"
    settings = written(tmp_path, bank=bank, shop="id,x\nNA,1\nDE,2\nFR,3\n")
    held = Files(settings).load("bank")
    assert held.classes == ("None", "mild", "severe")
    assert held.tables["all"]["bank"].ids == ["NA", "DE", "FR"]
    assert held.tables["all"]["bank"].features["z"].isna().tolist() == [False, True, False]


def test_names_and_paths_that_hydra_reads_as_numbers(tmp_path):
    settings = written(tmp_path, bank="id,y,2021\n1,a,5\n2,b,6\n", shop="7,x\n1,1\n2,2\n")
    settings["bank"]["columns"], settings["shop"]["id"] = [2021], 7
    held = Files(settings).load("bank").tables["all"]
    assert list(held["bank"].features) == ["2021"] and held["shop"].ids == ["1", "2"]


@pytest.mark.parametrize(
    ("change", "label_holder", "said"),
    [
        ({}, "shop", "label_holder=shop, but data.parties.bank.label is given"),
        ({"bank": {"label": None}}, "bank", "label_holder=bank, but no label is given"),
        ({"shop": {"label": "kind"}}, "bank", "data.parties.bank.label and data.parties.shop.label is given"),
        ({"bank": {"pth": "x"}}, "bank", "data.parties.bank has no setting pth; it has path, id, label"),
        ({"bank": {"path": None}}, "bank", "data.parties.bank.path is missing"),
        (
            {"shop": "shop.csv"},
            "bank",
            "data.parties.shop=shop.csv is no group of settings; give data.parties.shop.path=shop.csv",
        ),
        ({"type": {"path": "x"}}, "bank", "'type' cannot name a party"),
    ],
    ids=str,
)
def test_bad_settings(parties, change, label_holder, said):
    settings = {party: parties.get(party, {}) for party in {**parties, **change}}
    for party, new in change.items():
        settings[party] = settings[party] | new if isinstance(new, dict) else new
    with pytest.raises(ValueError, match=said):
        Files(settings).load(label_holder)


def test_nobody_brings_nothing():
    with pytest.raises(ValueError, match=r"data\.parties\.NAME\.path=FILE"):
        Files({}).load("bank")
