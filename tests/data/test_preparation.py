"""What is new in rows that are not for training is told with its party and column before training."""

from __future__ import annotations

import pandas as pd
import pytest
import torch
from aligned_data import numbered, synthetic

from vertical_lightning.data.preparation import prepare, same
from vertical_lightning.run.summary import scaling
from vertical_lightning.schema import Features, PartyTable


def remarks(train: Features, test: Features) -> list[str]:
    tables = {split: PartyTable(range(len(one)), one) for split, one in (("train", train), ("test", test))}
    prepared = prepare(tables["train"], (), (), None, (0.0, 1.0))
    return prepared.remarks(tables, prepared.transform("bank", tables))


def test_unseen_categories_are_counted() -> None:
    train = pd.DataFrame({"job": ["cook", "nurse"], "zip": ["1", "2"]})
    test = pd.DataFrame({"job": ["pilot", None, "cook"], "zip": [1.0, 2.0, 2.0]})
    (told,) = remarks(train, test)
    assert told == "test: values of categories not seen in training, which become zeros: 2 of job"
    assert not remarks(train, train)
    assert scaling({"bank": [told], "shop": []}).count("bank") == 1 and scaling({"bank": []}) == ""


def test_numbers_far_from_all_in_training_are_counted() -> None:
    train, test = pd.DataFrame({"a": [1.0, 2, 3], "b": [0.0, 0, 0]}), pd.DataFrame({"a": [1e9, 2, -1e9], "b": [1.0, 2e7, 0]})
    assert remarks(train, test) == ["test: numbers more than 1,000,000 spreads from the training rows' mean: 2 in a, 1 in b"]
    tensors = [torch.tensor(frame.to_numpy()) for frame in (train, test)]
    assert remarks(*tensors) == ["test: numbers more than 1,000,000 spreads from the training rows' mean: 3"]


def test_scaling_of_nobody_is_refused_before_alignment() -> None:
    data = synthetic(scaling={"zoe": "none"})
    with pytest.raises(ValueError, match=r"datamodule\.scaling is given for zoe; the parties are alice, carol, bob"):
        data.load()


def test_one_party_scales_otherwise() -> None:
    plain, other = numbered(parties=2), numbered(parties=2, scaling={"carol": "standard"})
    for data in (plain, other):
        data.setup("fit")
    blocks = [{party: block for party, block in data.splits["train"].features.items()} for data in (plain, other)]
    assert torch.equal(blocks[0]["alice"], blocks[1]["alice"]) and not torch.equal(blocks[0]["carol"], blocks[1]["carol"])
    assert not same(plain.state_dict()["prepared"], other.state_dict()["prepared"])
    with pytest.raises(ValueError, match="carol's columns or labels are not those of the checkpoint"):
        plain.load_state_dict(other.state_dict())
    plain.load_state_dict(plain.state_dict())
