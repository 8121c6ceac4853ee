"""Which rows train, validate and test: shares, folds, strata; and the last batch."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from aligned_data import numbered, synthetic

from vertical_lightning.data.hash_split import Division
from vertical_lightning.data.loader import PositionSampler
from vertical_lightning.data.party_data import PartyDataModule

IDS = [b"%d" % number for number in range(2000)]


def test_splits_hold_every_row_once_and_stay_when_others_come() -> None:
    rows = Division(0.1, 0.2).rows(IDS, b"3", official=False)
    assert sorted(torch.cat(list(rows.values())).tolist()) == list(range(2000))
    fewer = Division(0.1, 0.2).rows(IDS[:1000], b"3", official=False)
    assert all(torch.equal(fewer[split], rows[split][rows[split] < 1000]) for split in rows)
    assert list(Division(0.1, 0.2).rows(IDS, b"", official=True)) == ["val", "train"]


@pytest.mark.parametrize("stratify", [False, True])
def test_folds_validate_every_row_once_and_test_the_same_ones(stratify: bool) -> None:
    labels = torch.arange(2000) % 3 if stratify else None
    folds = [Division(0.1, 0.2, folds=5, fold=fold).rows(IDS, b"", False, labels) for fold in range(5)]
    assert all(torch.equal(fold["test"], folds[0]["test"]) for fold in folds)
    others = sorted(set(range(2000)) - set(folds[0]["test"].tolist()))
    assert sorted(torch.cat([fold["val"] for fold in folds]).tolist()) == others
    for fold in folds:
        assert sorted([*fold["train"].tolist(), *fold["val"].tolist()]) == others
        assert len(fold["val"]) == pytest.approx(len(others) / 5, rel=0.15)


def test_strata_have_the_same_share_of_each_class() -> None:
    labels = (torch.arange(2000) % 50 == 0).long()  # 2 % positive
    rows = Division(0.1, 0.2, stratify=True).rows(IDS, b"", False, labels)
    assert {split: int(labels[numbers].sum()) for split, numbers in rows.items()} == {"val": 4, "test": 8, "train": 28}
    assert {split: len(numbers) for split, numbers in rows.items()} == {"val": 200, "test": 400, "train": 1400}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"val_fraction": 1.0}, "datamodule.val_fraction=1.0 is no share of rows"),
        ({"test_fraction": -0.1}, "datamodule.test_fraction=-0.1 is no share of rows"),
        ({"val_fraction": "much"}, "datamodule.val_fraction=much is no share"),
        ({"folds": 1}, "datamodule.folds=1 is no number of parts"),
        ({"folds": 5, "fold": 5}, "datamodule.fold=5 is no part to validate on; give 0 to 4"),
        ({"fold": 1}, "datamodule.fold=1 is no part to validate on; give 0 without datamodule.folds"),
    ],
)
def test_what_divides_nothing_is_refused_at_construction(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        synthetic(**options)


def test_shares_of_all_rows_are_refused_before_alignment() -> None:
    data = synthetic(val_fraction=0.5, test_fraction=0.5)
    with pytest.raises(ValueError, match="leave no rows to train"):
        data.load()
    assert not data.alignments
    numbered(val_fraction=0.5, test_fraction=0.5, test_rows=50).load()  # an official test table takes none of them


def test_strata_of_a_data_module() -> None:
    data = synthetic(rows=300, stratify=True)
    data.setup("fit")
    shares = [float(data.splits[split].labels.float().mean()) for split in ("train", "val", "test")]
    assert max(shares) - min(shares) < 0.03
    regression = synthetic(classes=0, stratify=True)
    with pytest.raises(ValueError, match=r"datamodule\.stratify=true needs classes"):
        regression.setup("fit")


def test_a_smaller_last_batch_can_be_dropped() -> None:
    def sizes(**options: Any) -> list[int]:
        return [len(batch) for batch in PositionSampler(rows=7, batch_size=3, shuffle=False, **options)]

    assert sizes() == [3, 3, 1] and sizes(drop_last=True) == [3, 3]
    assert len(PositionSampler(7, 3, False, drop_last=True)) == 2 and len(PositionSampler(6, 3, False, drop_last=True)) == 2
    data = synthetic(drop_last=True)
    data.setup("fit")
    assert {len(batch.labels) for batch in data.train_dataloader()} == {16}
    assert sum(len(batch.labels) for batch in data.test_dataloader()) == len(data.splits["test"])


def test_strata_between_processes_are_refused() -> None:
    whole = synthetic()
    data = PartyDataModule(whole.holdings, whole.aligner, party="alice", stratify=True)
    with pytest.raises(ValueError, match=r"between processes say datamodule\.stratify=false"):
        data.strata("all")
