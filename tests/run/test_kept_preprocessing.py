"""A model keeps what its training rows taught its parties: other rows in the files change no prediction of these."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from job import configuration, run
from omegaconf import OmegaConf
from running import QUICK

from vertical_lightning.config.one_party import configuration_of
from vertical_lightning.data.preparation import Preparation
from vertical_lightning.distributed.spawn import spawn
from vertical_lightning.run.export import write
from vertical_lightning.run.predict import predict_party
from vertical_lightning.split.checkpoints import PartyCheckpoints, data_of

pytestmark = pytest.mark.filterwarnings("ignore")

JOB = ["data=files", "label_holder=bank", "trainer.max_epochs=2", "batch_size=32", "threads=1", *QUICK[:1]]
JOB += ["callbacks.progress_bar.refresh_rate=0"]


def customers(start: int, rows: int, shift: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Two parties' rows; with a shift come higher numbers, other jobs, and a gap that has to be filled."""
    draw = np.random.default_rng(start)
    ids, a, b = np.arange(start, start + rows), draw.normal(size=rows) + shift, draw.normal(size=rows) * (1 + shift)
    job = draw.choice(["cook", "nurse"], rows) if shift == 0 else draw.choice(["nurse", "pilot"], rows)
    bank = pd.DataFrame({"id": ids, "y": np.where(a + b > 0, "late", "paid"), "a": a})
    return bank, pd.DataFrame({"id": ids, "b": np.where(ids % 9, b, np.nan), "zip": np.where(b > 0, "007", "A1"), "job": job})


def paths(folder: Path, name: str) -> list[str]:
    return [f"++data.parties.{party}.path={folder / f'{name}_{party}.csv'}" for party in ("bank", "shop")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of before, of before and after, and of after alone without labels; and a run on the first."""
    made = tmp_path_factory.mktemp("files")
    first, second = customers(0, 300, 0.0), customers(10_000, 100, 3.0)
    second[1]["zip"] = "007"  # alone in its file, it would be the number 7
    for party, old, new in zip(("bank", "shop"), first, second, strict=True):
        old.to_csv(made / f"before_{party}.csv", index=False)
        pd.concat([old, new]).to_csv(made / f"after_{party}.csv", index=False)
        new.drop(columns="y", errors="ignore").to_csv(made / f"new_{party}.csv", index=False)
    run(made / "run", *JOB, *paths(made, "before"), "++data.parties.bank.label=y")
    return made


def predicted(folder: Path, out: Path, name: str, *words: str, split: str = "all") -> pd.DataFrame:
    out.mkdir(exist_ok=True)
    told = [*JOB, *paths(folder, name), "++data.parties.bank.label=y", *words, f"ckpt_path={folder / 'run'}"]
    config = configuration(out, *told, f"+out={out / f'{name}.csv'}", f"+split={split}")
    if "execution=gloo" in words:
        spawn({party: configuration_of(config, party) for party in ("bank", "shop")}, predict_party)
    else:
        predict_party(config)
    return pd.read_csv(out / f"{name}.csv").set_index("id")


def test_appended_rows_change_no_prediction_of_the_old_ones(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before, after, new = (predicted(folder, tmp_path, name) for name in ("before", "after", "new"))
    assert (len(before), len(after), len(new)) == (300, 400, 100)
    # A row beside others in its batch: some processors' kernels round by the batch's size.
    pd.testing.assert_frame_equal(before, after.loc[before.index], rtol=1e-5)
    pd.testing.assert_frame_equal(new, after.loc[new.index], rtol=1e-5)
    told = capsys.readouterr().out
    trained = len(predicted(folder, tmp_path / "train", "before", split="train"))
    assert f"400 rows predicted; {400 - trained} of their ids are not among those" in told
    assert "100 rows predicted; 100 of their ids" in told
    pilots = int((customers(10_000, 100, 3.0)[1]["job"] == "pilot").sum())
    assert f"all: values of categories not seen in training, which become zeros: {pilots} of job" in told


def test_a_split_of_the_run_is_scored_as_the_run_did(folder: Path, tmp_path: Path) -> None:
    found = predicted(folder, tmp_path, "before", split="test")
    labels = pd.read_csv(folder / "before_bank.csv").set_index("id")["y"]
    metrics = json.loads((folder / "run" / "metrics.json").read_text())
    assert (found["predicted"] == labels.loc[found.index]).mean() == pytest.approx(metrics["test/accuracy"])


def test_processes_score_new_files_alike(folder: Path, tmp_path: Path) -> None:
    one = predicted(folder, tmp_path / "one", "new")
    pd.testing.assert_frame_equal(one, predicted(folder, tmp_path, "new", "execution=gloo"), check_exact=True)


def test_each_party_keeps_its_own_and_nobody_elses(folder: Path) -> None:
    parts = {party: folder / "run" / "checkpoints" / "last.ckpt" / f"{party}.ckpt" for party in ("bank", "shop")}
    kept = {party: data_of(torch.load(path, weights_only=True))["prepared"] for party, path in parts.items()}
    assert {party: list(one) for party, one in kept.items()} == {"bank": ["bank"], "shop": ["shop"]}
    bank, shop = kept["bank"]["bank"], kept["shop"]["shop"]
    assert bank["labels"] == {"classes": ["late", "paid"]} and "labels" not in shop and "trained" not in shop
    assert shop["scaling"]["categories"] == {"zip": ["007", "A1"], "job": ["cook", "nurse"]}
    whole = PartyCheckpoints().load_checkpoint(folder / "run" / "checkpoints" / "last.ckpt")
    assert list(data_of(whole)["prepared"]) == ["bank", "shop"]


def test_going_on_with_other_columns_is_refused(folder: Path, tmp_path: Path) -> None:
    frame = pd.read_csv(folder / "before_shop.csv")
    frame["b"] *= 2
    frame.to_csv(tmp_path / "shop.csv", index=False)
    words = [*JOB, *paths(folder, "before"), f"++data.parties.shop.path={tmp_path / 'shop.csv'}", "trainer.max_epochs=3"]
    with pytest.raises(ValueError, match="shop's columns or labels are not those of the checkpoint"):
        run(tmp_path / "run", *words, "++data.parties.bank.label=y", f"ckpt_path={folder / 'run'}")


def test_an_exported_party_can_prepare_raw_columns(folder: Path, tmp_path: Path) -> None:
    """By the JSON file and the network alone: what the run's own bottom gave."""
    (folder / "run" / ".hydra").mkdir(exist_ok=True)
    config = configuration(folder / "run", *JOB, *paths(folder, "before"), "++data.parties.bank.label=y")
    OmegaConf.save(config, folder / "run" / ".hydra" / "config.yaml")
    assert "preprocessing.json: scaling, as its training rows" in write(
        str(folder / "run"), "shop", "torchscript", str(tmp_path / "out")
    )
    told: dict[str, Any] = json.loads((tmp_path / "out" / "shop.preprocessing.json").read_text())["scaling"]
    frame = pd.read_csv(folder / "before_shop.csv", dtype={"zip": str})
    numbers = frame[told["numbers"]].fillna(dict(zip(told["numbers"], told["median"], strict=True)))
    block = [(numbers - told["mean"]) / told["spread"]]
    block += [pd.DataFrame({code: frame[name] == code for code in known}) for name, known in told["categories"].items()]
    raw = torch.tensor(pd.concat(block, axis=1).to_numpy(dtype="float32"))
    bottom = torch.jit.load(tmp_path / "out" / "shop.bottom.pt")
    assert bottom(raw).shape[0] == 300
    saved = torch.load(folder / "run" / "checkpoints" / "last.ckpt" / "shop.ckpt", weights_only=True)
    scaling = Preparation.restored(data_of(saved)["prepared"]["shop"]).scaling
    assert scaling is not None
    torch.testing.assert_close(raw, scaling.transform(frame.drop(columns="id")))
