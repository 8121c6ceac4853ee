"""Every party loses rows of its own and shuffles its own way."""

from __future__ import annotations

import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vertical_lightning.data.overlap import Overlap
from vertical_lightning.schema import PartyTable
from vertical_lightning.split.seeding import derive


def holdings(*parties: str, rows: int = 1000) -> dict[str, PartyTable]:
    """Every cell says which row it came from; bob holds labels too."""
    return {
        party: PartyTable(
            ids=[str(row) for row in range(rows)],
            features=pd.DataFrame({"row": range(rows)}) if party == "carol" else torch.arange(rows).unsqueeze(1),
            labels=torch.arange(rows) if party == "bob" else None,
        )
        for party in parties
    }


def kept(overlap: Overlap, tables: dict[str, PartyTable], seed: int = 0, split: str = "train") -> dict[str, list[int]]:
    return {party: [int(key) for key in table.ids] for party, table in overlap.apply(tables, seed=seed, split=split).items()}


@given(rows=st.integers(1, 300), missing=st.floats(0, 1, exclude_max=True), shuffle=st.booleans())
def test_exactly_the_fraction_is_lost_and_no_row_is_doubled(rows: int, missing: float, shuffle: bool) -> None:
    [ids] = kept(Overlap(missing, shuffle), holdings("alice", rows=rows)).values()
    assert len(ids) == len(set(ids)) == max(rows - round(missing * rows), 1)
    assert set(ids) <= set(range(rows))


@pytest.mark.usefixtures("global_random_state_untouched")
def test_ids_features_and_labels_stay_together() -> None:
    tables = Overlap(0.3).apply(holdings("alice", "bob", "carol"), seed=0, split="train")
    for table in tables.values():
        rows = [int(key) for key in table.ids]
        cells = table.features["row"].tolist() if isinstance(table.features, pd.DataFrame) else table.features[:, 0].tolist()
        assert cells == rows
    assert tables["bob"].labels.tolist() == [int(key) for key in tables["bob"].ids]
    assert tables["alice"].labels is None


def test_parties_splits_and_seeds_differ() -> None:
    overlap, tables = Overlap(0.1), holdings("alice", "bob")
    rows = kept(overlap, tables)
    for other in (rows["bob"], kept(overlap, tables, seed=1)["alice"], kept(overlap, tables, split="test")["alice"]):
        assert set(other) != set(rows["alice"])
        assert other != rows["alice"]
    # Two independent losses of 10 % leave about 81 % in common; the same losses would leave 90 %, disjoint ones 80 %.
    assert 805 < len(set(rows["alice"]) & set(rows["bob"])) < 830


def test_another_party_changes_nothing_for_the_first() -> None:
    overlap = Overlap(0.1)
    few, many = kept(overlap, holdings("bob", "alice")), kept(overlap, holdings("carol", "alice", "dave", "bob"))
    assert few["alice"] == many["alice"]
    assert few["bob"] == many["bob"]


def test_the_seed_is_the_same_in_every_process_and_version() -> None:
    # Python's own hash() would give another one each time; a change of this number changes everybody's results.
    assert derive("overlap", 0, "train", "alice") == 14_028_721


def test_shuffling_changes_the_order_but_not_the_rows() -> None:
    shuffled, ordered = (kept(Overlap(0.1, shuffle), holdings("alice"))["alice"] for shuffle in (True, False))
    assert ordered == sorted(shuffled)
    assert shuffled != ordered


def test_nothing_missing_and_not_shuffled_changes_nothing() -> None:
    assert kept(Overlap(0, shuffle=False), holdings("alice"))["alice"] == list(range(1000))


def test_the_original_is_not_touched_and_shares_no_storage() -> None:
    tables = holdings("alice")
    result = Overlap(0, shuffle=False).apply(tables, seed=0, split="train")
    result["alice"].features.zero_()
    assert tables["alice"].features[:, 0].tolist() == list(range(1000))


@pytest.mark.parametrize("missing", [-0.1, 1, 1.5, float("nan")])
def test_other_fractions_are_refused(missing: float) -> None:
    with pytest.raises(ValueError, match="give at least 0 and less than 1"):
        Overlap(missing)
