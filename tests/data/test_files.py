"""Every party's own file: who may hold labels, official test rows, and what one party's file may not change of another's."""

import pandas as pd
import pytest
import torch

from vertical_lightning.data.datamodule import VerticalDataModule
from vertical_lightning.data.files import Files
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
    assert parts["bank"].ids == ["1", "2", "3", "4"] and parts["shop"].ids == [" 1", "2", "3", "4"]
    assert parts["shop"].features["spent"].tolist() == [1.0, 2.0, 3.0, 4.0]
    assert parts["bank"].labels.tolist() == [1, 0, 1, 0] and data.classes == ("n", "y")
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

    monkeypatch.setattr("vertical_lightning.data.party_file.PartyFile.read", read)
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


@pytest.mark.parametrize(
    ("change", "label_holder", "said"),
    [
        ({}, "shop", "label_holder=shop, but data.parties.bank.label is given"),
        ({"bank": {"label": None}}, "bank", "label_holder=bank, but no label is given"),
        ({"shop": {"label": "kind"}}, "bank", "data.parties.bank.label and data.parties.shop.label is given"),
        ({"bank": {"pth": "x"}}, "bank", "data.parties.bank has no setting pth; it has path, id, label"),
        ({"bank": {"path": None}}, "bank", "data.parties.bank.path is missing"),
        ({"type": {"path": "x"}}, "bank", "'type' cannot name a party"),
    ],
    ids=str,
)
def test_bad_settings(parties, change, label_holder, said):
    settings = {party: parties.get(party, {}) | change.get(party, {}) for party in {**parties, **change}}
    with pytest.raises(ValueError, match=said):
        Files(settings).load(label_holder)


def test_nobody_brings_nothing():
    with pytest.raises(ValueError, match=r"data\.parties\.NAME\.path=FILE"):
        Files({}).load("bank")
