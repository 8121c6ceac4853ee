"""Tokens reach a network as the whole numbers that they are: in one process and in several, trained and predicted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from job import configuration, run

from vertical_lightning.run.predict import predict_party

pytestmark = pytest.mark.filterwarnings("ignore")

ROWS = 120


@pytest.fixture(name="words")
def words_fixture(tmp_path: Path) -> list[str]:
    draw = np.random.default_rng(0)
    tokens, ids = draw.integers(0, 8, (ROWS, 3)), np.arange(ROWS)
    np.savez(tmp_path / "text.npz", id=ids, features=tokens)
    pd.DataFrame({"id": ids, "y": (tokens.sum(1) > 10).astype(int)}).to_csv(tmp_path / "bank.csv", index=False)
    return [
        *("data=files", "label_holder=bank", "architecture._target_=embedded.Embedded", "cut=words", "batch_size=16"),
        *(f"++data.parties.bank.path={tmp_path / 'bank.csv'}", "++data.parties.bank.label=y", "optimizer.lr=0.1"),
        *(f"++data.parties.text.path={tmp_path / 'text.npz'}", "++data.parties.text.kind=tokens", "threads=1"),
        *("~architecture.hidden", "~architecture.dropout", "callbacks.progress_bar.refresh_rate=0", "trainer.max_epochs=8"),
    ]


def test_one_process_and_several_learn_from_them(words: list[str], tmp_path: Path) -> None:
    one = run(tmp_path / "one", *words)
    assert one["train/accuracy"] > 0.9
    out = tmp_path / "out.csv"
    predict_party(configuration(tmp_path, *words, f"ckpt_path={tmp_path / 'one'}", f"+out={out}", "+split=all"))
    assert len(pd.read_csv(out)) == ROWS
    several = run(tmp_path / "several", *words, "execution=gloo")
    assert {name: several[name] for name in ("train/loss", "test/loss")} == {
        name: one[name] for name in ("train/loss", "test/loss")
    }
