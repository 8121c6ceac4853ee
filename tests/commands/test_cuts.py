"""What `vl-cuts` says before training is what training then measures."""

from __future__ import annotations

import io
from pathlib import Path

import pandas as pd
import pytest
import torch
from job import SMALL, configuration, run

from vertical_lightning.commands.cuts import BATCH, survey
from vertical_lightning.config.compose import build
from vertical_lightning.data.overlap import Overlap
from vertical_lightning.data.partitions.whole import Whole
from vertical_lightning.data.simulation import Simulation
from vertical_lightning.data.sources.cifar10 import Cifar10
from vertical_lightning.split.cost import as_csv, as_text
from vertical_lightning.split.cut import legal, resolve
from vertical_lightning.split.distance_correlation import distance_correlation


def costs_of(folder: Path, *overrides: str) -> pd.DataFrame:
    config = configuration(folder, *SMALL, *overrides)
    held, rows, _ = build(config.datamodule.holdings).example(config.label_holder, BATCH)
    return pd.read_csv(io.StringIO(as_csv(survey(config, held), rows)))


@pytest.mark.parametrize("topology", ["splitnn", "dual_headed", "u_shaped"])
def test_bytes_are_those_of_a_run(topology: str, tmp_path: Path) -> None:
    words = [f"topology={topology}", "architecture=lenet"]
    found = costs_of(tmp_path / "costs", *words).set_index("cut")
    metrics = run(tmp_path / "run", *SMALL, *words, "cut=2", "trainer.max_epochs=1", "datamodule.val_fraction=0")
    for name, count in metrics.items():
        if "->" in name and name.startswith("wire/bytes/"):
            link = name.removeprefix("wire/bytes/")
            assert found.loc[2, f"bytes_per_row/{link}"] * metrics["psi/intersection"] == count


@pytest.mark.parametrize("own", [[], ["++architecture.parties.carol._target_=vertical_lightning.architectures.lenet.LeNet"]])
def test_codecs_and_a_partys_own_architecture_are_counted(own: list[str], tmp_path: Path) -> None:
    words = ["partition=halves", "codec=top_k", "codec.ratio=0.25", *own]
    cut = "cut={carol:fc1,bob:1}" if own else "cut=1"
    found = costs_of(tmp_path / "costs", *words, cut).set_index("cut")
    metrics = run(tmp_path / "run", *SMALL, *words, cut, "trainer.max_epochs=1", "datamodule.val_fraction=0")
    for name, count in metrics.items():
        if "->" in name and name.startswith("wire/bytes/"):
            link = name.removeprefix("wire/bytes/")
            assert found.loc[1, f"bytes_per_row/{link}"] * metrics["psi/intersection"] == count
    assert found.loc[1, "parameters/carol"] == (50_304 if not own else found.loc[2, "parameters/carol"]), "carol's cut is hers"


def test_both_kinds_in_one_direction_are_added(tmp_path: Path) -> None:
    found = costs_of(tmp_path, "topology=u_shaped", "label_holder=alice").set_index("cut")
    assert found.loc[1, "bytes_per_row/server->alice"] == (128 + 640) * 4


def test_parameters_and_flops_of_linear_layers(tmp_path: Path) -> None:
    found = costs_of(tmp_path).set_index("cut")
    assert list(found["stage"]) == ["fc1", "fc2"]
    assert found.loc[1, "parameters/alice"] == 784 * 128 + 128
    assert found.loc[2, "parameters/bob"] == 640 * 10 + 10
    assert found.loc[2, "flops_per_row/alice"] == 2 * (784 * 128 + 128 * 640)
    assert found.loc[2, "flops_per_row/bob"] == 2 * 640 * 10
    assert found.loc[2, "seconds_per_epoch/10Mbit"] == pytest.approx(2 * 640 * 4 * 200 * 8 / 10e6)


def test_every_legal_cut_and_no_other(tmp_path: Path) -> None:
    names = ["one", "two", "three", "four"]
    for count in (1, 2, 3):
        assert all(resolve(number, names, count) for number in legal(names, count))
        with pytest.raises(ValueError, match="cut"):
            resolve(len(legal(names, count)) + 1, names, count)
    with pytest.raises(ValueError, match="leaves nothing to choose"):
        costs_of(tmp_path, "topology=aggregate")


def test_no_data_are_needed(tmp_path: Path) -> None:
    holdings = Simulation(Cifar10(root=tmp_path / "nowhere"), Whole(["alice"]), Overlap())
    held, rows, real = holdings.example("bob", BATCH)
    assert (rows, real) == (50_000, False)
    assert tuple(held.tables["all"]["alice"].features.shape[1:]) == (3, 32, 32)
    assert not (tmp_path / "nowhere").exists()


def test_text_names_every_party(tmp_path: Path) -> None:
    config = configuration(tmp_path, *SMALL, "partition=quadrants", "architecture=lenet")
    held, rows, _ = build(config.datamodule.holdings).example(config.label_holder, BATCH)
    text = as_text(survey(config, held), rows)
    assert all(f"{party}->bob" in text for party in ("alice", "carol", "dave", "erin"))
    assert "200 rows" in text


def test_distance_correlation_tells_dependence_from_none() -> None:
    generator = torch.Generator().manual_seed(0)
    one, other = (torch.randn(400, 2, generator=generator) for _ in range(2))
    turn = torch.linalg.qr(torch.randn(2, 2, generator=generator)).Q
    assert distance_correlation(one, 3 * one @ turn + 1) == pytest.approx(1)
    assert distance_correlation(one, other) < 0.2  # biased upward with few rows
    assert distance_correlation(one, one.square()) > 0.4, "dependence without linear correlation"
    assert distance_correlation(one, torch.zeros(400, 3)) == 0
