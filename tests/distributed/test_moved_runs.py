"""A run may begin in one process and go on with one process a party, or the other way, and nobody can tell."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from job import SMALL, run
from resumable import equal
from running import QUICK
from two_runs import comparable, weights

pytestmark = pytest.mark.filterwarnings("ignore")

JOB = [
    *SMALL,
    *QUICK,
    *("partition=halves", "topology=u_shaped", "architecture=tabular", "architecture.hidden=[16,16,16]", "scheduler=cosine"),
]
APART = "execution=gloo"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, float]]:
    folder = tmp_path_factory.mktemp("whole")
    return folder, run(folder, *JOB, "trainer.max_epochs=4")


@pytest.fixture(scope="module")
def halves(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The first two of the four epochs, both ways."""
    folder = tmp_path_factory.mktemp("halves")
    for name, words in (("one", []), ("apart", [APART])):
        run(folder / name, *JOB, "scheduler.T_max=4", "trainer.max_epochs=2", *words)
    return {"one": folder / "one", "apart": folder / "apart"}


@pytest.mark.parametrize("began", ["one", "apart"])
@pytest.mark.parametrize("goes_on", ["one", "apart"])
def test_a_run_moves(
    began: str, goes_on: str, whole: tuple[Path, dict[str, float]], halves: dict[str, Path], tmp_path: Path
) -> None:
    words = [APART] if goes_on == "apart" else []
    metrics = run(tmp_path, *JOB, "trainer.max_epochs=4", f"ckpt_path={halves[began]}", *words)
    ours, theirs = weights(tmp_path), weights(whole[0])
    assert ours.keys() == theirs.keys()
    assert not [name for name, value in ours.items() if not equal(value, theirs[name])]
    assert comparable(metrics) == comparable(whole[1])


def test_a_part_holds_one_party_only(halves: dict[str, Path]) -> None:
    for folder in (halves["one"], halves["apart"]):
        for path in folder.rglob("*.ckpt/*.ckpt"):
            part = torch.load(path, weights_only=True)
            assert {name.split(".")[2] for name in part["state_dict"]} <= {path.stem}
            assert all(path.stem in link.split("->") for link in part["wire_bytes"])
            if path.stem != "bob":
                assert part["epoch_sums"].keys() <= {"rows"}, "sums of labels lie at another party"


def test_parts_of_different_steps_are_refused(halves: dict[str, Path], tmp_path: Path) -> None:
    run(tmp_path / "other", *JOB, "trainer.max_epochs=1")
    parts = tmp_path / "parts"
    parts.mkdir()
    for party in ("alice", "carol", "server", "bob"):
        folder = tmp_path / "other" if party == "bob" else halves["one"]
        (parts / f"{party}.ckpt").symlink_to(folder / "checkpoints" / "last.ckpt" / f"{party}.ckpt")
    with pytest.raises(ValueError, match=r"alice step 12 of epoch 1, run .*bob step 6 of epoch 0, run"):
        run(tmp_path / "on", *JOB, "trainer.max_epochs=4", f"ckpt_path={parts}")
    with pytest.raises(ConnectionError):
        run(tmp_path / "apart", *JOB, "trainer.max_epochs=4", f"ckpt_path={parts}", APART)
    said = (tmp_path / "apart" / "bob" / "output.txt").read_text()
    assert "disagree about where to go on: no step of a run is everybody's. alice step 12 of run " in said
    assert "bob step 6 of run " in said


def test_a_missing_part_is_named(halves: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Give the folder of a run"):
        run(tmp_path, *JOB, f"ckpt_path={tmp_path}")
