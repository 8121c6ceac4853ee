"""From a row's number nobody can tell its id, without the key that parties with rows have."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from aligned_data import synthetic
from scipy.stats import spearmanr

from vertical_lightning.data.row_order import TOLD, ordered, row_key
from vertical_lightning.schema import Alignment

IDS = [b"%06d" % number for number in range(100_000, 102_000)]


def alignment() -> Alignment:
    rows = torch.arange(len(IDS))
    return Alignment({"bank": rows, "shop": rows.flip(0)}, {"bank": 2000, "shop": 2000}, {}, 0.0, "Nobody learned anything.")


def guessed(found: Alignment) -> float:
    """Share of rows whose id somebody knows who has the register, and takes row i for the i-th id."""
    return float((found.positions["bank"] == torch.arange(len(IDS))).float().mean())


def test_the_order_of_ids_is_gone() -> None:
    assert guessed(alignment()) == 1.0
    found = ordered(alignment(), IDS, row_key(0))
    assert guessed(found) < 0.01
    assert abs(spearmanr(found.positions["bank"], range(len(IDS))).statistic) < 0.08
    assert found.positions["bank"].sort().values.tolist() == list(range(len(IDS)))


def test_every_party_has_the_same_and_every_key_another() -> None:
    found, other = (ordered(alignment(), IDS, row_key(seed)) for seed in (0, 2**127))
    assert torch.equal(found.positions["shop"], len(IDS) - 1 - found.positions["bank"])
    assert (found.positions["bank"] == other.positions["bank"]).float().mean() < 0.01


def test_the_statement_says_what_order_tells() -> None:
    assert ordered(alignment(), IDS, b"key").statement.endswith(TOLD)


def test_splits_and_the_checkpoints_digest_need_the_key() -> None:
    def made(row_seed: int) -> Any:
        data = synthetic(2, rows=300, row_seed=row_seed)
        data.prepare_data()
        data.setup("fit")
        return data

    one, same, other = made(1), made(1), made(2)
    validated = [{one.common_ids("all")[row] for row in one.splits["val"].rows.tolist()} for one in (one, same, other)]
    assert validated[0] == validated[1] != validated[2]
    assert one.digest == same.digest != other.digest


@pytest.mark.parametrize("seed", [1, 2])
def test_a_sweep_over_seeds_keeps_rows_and_splits(seed: int) -> None:
    data, again = (synthetic(2, rows=300, seed=one) for one in (seed, 7))
    for one in (data, again):
        one.holdings = data.holdings
        one.prepare_data()
        one.setup("fit")
    assert data.common_ids("all") == again.common_ids("all")
    assert torch.equal(data.splits["val"].rows, again.splits["val"].rows)
