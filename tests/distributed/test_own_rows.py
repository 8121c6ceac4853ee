"""A party's process opens its own file and no other, and never holds a number of another party's rows."""

from __future__ import annotations

import gc
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import pytorch_lightning as pl
import torch
from job import configuration, run
from running import QUICK

from vertical_lightning.config.one_party import configuration_of
from vertical_lightning.distributed.spawn import spawn
from vertical_lightning.run.party import run_party

pytestmark = pytest.mark.filterwarnings("ignore")

ROWS = 120
MARKS = {"alice": 1000.0, "carol": 2000.0, "bob": 3000.0}
"""Between these and these + 1 lie a party's numbers as its file has them, and nobody else's."""


class Witness(pl.Callback):
    """Writes down which files were opened, and looks for other parties' numbers in every tensor of the process."""

    def __init__(self, folder: str) -> None:
        self.folder = Path(folder)
        self.opened: set[str] = set()
        self.found: set[str] = set()
        self.tensors = 0
        sys.addaudithook(self.note)

    def note(self, event: str, facts: Any) -> None:
        if event == "open" and str(facts[0]).endswith(".csv"):
            self.opened.add(Path(str(facts[0])).name)

    def on_train_batch_end(self, *_: Any) -> None:
        for tensor in tensors():
            self.tensors += 1
            numbers = tensor.detach().double()
            for party, mark in MARKS.items():
                if ((numbers > mark) & (numbers < mark + 1)).any():
                    self.found.add(party)

    def on_test_end(self, trainer: pl.Trainer, *_: Any) -> None:
        data: Any = trainer.datamodule  # type: ignore[attr-defined]
        whose = {"opened": sorted(self.opened), "found": sorted(self.found), "tensors": self.tensors}
        (self.folder / f"{data.party}.json").write_text(json.dumps(whose))


def tensors() -> Iterator[torch.Tensor]:
    gc.unfreeze()  # what a session has frozen is not listed
    for one in gc.get_objects():
        if type(one) in (torch.Tensor, torch.nn.Parameter) and one.is_floating_point() and not one.is_meta:
            yield one
        if isinstance(one, pd.DataFrame):
            yield torch.tensor(one.select_dtypes("number").to_numpy(dtype="float64", copy=True))


@pytest.fixture
def files(tmp_path: Path) -> Path:
    generator = torch.Generator().manual_seed(1)
    for party, mark in MARKS.items():
        order = torch.randperm(ROWS, generator=generator)[: ROWS - 5]
        frame = pd.DataFrame({"id": [f"entity {row}" for row in order.tolist()]})
        for column in ("a", "b"):
            frame[column] = (mark + 0.01 + 0.98 * torch.rand(len(order), generator=generator, dtype=torch.float64)).tolist()
        if party == "bob":
            frame["label"] = ["yes" if row % 2 else "no" for row in order.tolist()]
        frame.to_csv(tmp_path / f"{party}.csv", index=False)
    return tmp_path


def test_a_process_sees_its_own(files: Path, tmp_path: Path) -> None:
    words = ["data=files", "label_holder=bob", "batch_size=16", *QUICK, "trainer.max_epochs=2", "execution=gloo"]
    words += ["~callbacks.release_columns"]  # so that there is something of the own file to find
    for party in MARKS:
        words += [f"++data.parties.{party}.path={files / party}.csv"]
    words += ["++data.parties.bob.label=label", "+callbacks.witness._target_=test_own_rows.Witness"]
    words += [f"+callbacks.witness.folder={tmp_path}"]
    run(tmp_path / "run", *words)
    for party in MARKS:
        seen = json.loads((tmp_path / f"{party}.json").read_text())
        assert seen["tensors"] > 100
        assert set(seen["found"]) == {party}, "rows of another party, or the search finds nothing"
        configuration = (tmp_path / "run" / party / "output.txt").read_text()
        assert not [other for other in MARKS if other != party and f"{other}.csv" in configuration]


def test_nobody_else_needs_to_be_able_to_read_it(files: Path, tmp_path: Path) -> None:
    """Each process is told its own path only: the others' files are somewhere else."""

    own = {}
    for party in MARKS:
        home = tmp_path / f"home of {party}"
        home.mkdir()
        (files / f"{party}.csv").rename(home / "rows.csv")
        words = [f"++data.parties.{name}.id=id" for name in MARKS]  # the same order of names everywhere
        words += [f"++data.parties.{party}.path={home / 'rows.csv'}"]
        words += ["++data.parties.bob.label=label"] if party == "bob" else []
        common = ["data=files", "label_holder=bob", "batch_size=16", *QUICK, "trainer.max_epochs=1", "execution=gloo"]
        own[party] = configuration_of(configuration(tmp_path / "run", *common, *words), party)
    spawn(own, run_party)
    assert json.loads((tmp_path / "run" / "bob" / "metrics.json").read_text())["psi/intersection"] > 90
