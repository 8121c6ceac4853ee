"""Who may be a party, and who may hold labels."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from small_tables import picture, table_of

from vertical_lightning.data.partitions.common import party_names
from vertical_lightning.data.partitions.even_columns import EvenColumns
from vertical_lightning.data.partitions.whole import Whole


@pytest.mark.parametrize("label_holder", [["alice", "bob"], None, 1])
def test_labels_at_several_parties_are_refused(label_holder: object) -> None:
    with pytest.raises(ValueError, match="labels may lie at one party only"):
        Whole().split(table_of(picture()), label_holder)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["", "two words", "a.b", "7up", "keys", "type", "training", "forward"])
@pytest.mark.parametrize("use", ["party", "label holder"])
def test_names_that_no_module_can_have_are_refused(name: str, use: str) -> None:
    with pytest.raises(ValueError, match=r"cannot name a party.* Choose another"):
        Whole([name] if use == "party" else ["alice"]).split(table_of(picture()), "bob" if use == "party" else name)


@given(st.integers(1, 40))
def test_unnamed_parties_get_different_usable_names(count: int) -> None:
    names = party_names(count)
    assert len(set(names)) == count
    assert "bob" not in names
    assert names == party_names(41)[:count]
    torch.nn.ModuleDict({name: torch.nn.Identity() for name in names})


def test_the_17th_unnamed_party_is_feature_17() -> None:
    assert party_names(17)[15:] == ["victor", "feature_17"]


@pytest.mark.parametrize(
    ("parties", "message"),
    [
        (0, "leaves nobody"),
        (-2, "leaves nobody"),
        ([], "leaves nobody"),
        (["alice", "alice"], "names alice twice"),
        ("alice", r"one party is \['alice'\]"),
    ],
)
def test_unusable_parties_are_refused(parties: int | Sequence[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        EvenColumns(parties)
