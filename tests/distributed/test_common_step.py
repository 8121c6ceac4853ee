"""Parties whose newest checkpoints differ, as after a kill while one is written, go on from the newest that all have."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from pipes import Pipes

import pytest
import torch

from vertical_lightning.distributed.common_step import newest_common
from vertical_lightning.distributed.session import Session
from vertical_lightning.distributed.transport.failure import RendezvousError

RUN, OTHER = "0" * 16, "1" * 16


def run_of(folder: Path, party: str, epochs: list[int], run: str = RUN) -> Path:
    """A run's folder with checkpoints; the last one is linked."""
    for epoch in epochs:
        place = folder / party / "checkpoints" / f"epoch_{epoch:03d}.ckpt"
        place.mkdir(parents=True)
        torch.save(
            {"run": run, "epoch": epoch, "global_step": 10 * epoch + 10, "weights": torch.ones(3)}, place / f"{party}.ckpt"
        )
    (place.parent / "last.ckpt").symlink_to(place.name)
    return folder / party


def meet(paths: Mapping[str, Path | None]) -> dict[str, str | None]:
    engine = Pipes()

    def go_on(party: str) -> str | None:
        session = Session(party, ["alice", "bob"], ["bob"], "bob", "127.0.0.1:1", engine)
        path = paths[party]
        return newest_common(session, None if path is None else str(path))

    with ThreadPoolExecutor(2) as pool:
        return dict(zip(paths, pool.map(go_on, paths), strict=True))


@pytest.mark.parametrize(
    ("alice", "bob", "common"), [([7, 8, 9], [7, 8], 8), ([7, 8], [8, 9], 8), ([9], [9], 9), ([3, 5], [3, 4], 3)]
)
def test_the_newest_that_all_have(alice: list[int], bob: list[int], common: int, tmp_path: Path) -> None:
    found = meet({"alice": run_of(tmp_path, "alice", alice), "bob": run_of(tmp_path, "bob", bob)})
    assert found == {party: str(tmp_path / party / "checkpoints" / f"epoch_{common:03d}.ckpt") for party in ("alice", "bob")}


def test_one_checkpoint_means_that_one(tmp_path: Path) -> None:
    folders = {party: run_of(tmp_path, party, [7, 8]) for party in ("alice", "bob")}
    found = meet({party: folder / "checkpoints" / "epoch_007.ckpt" for party, folder in folders.items()})
    assert {Path(str(one)).name for one in found.values()} == {"epoch_007.ckpt"}
    with pytest.raises(RendezvousError, match=f"alice step 90 of run {RUN}; bob step 80 of run {RUN}"):
        meet({"alice": run_of(tmp_path / "on", "alice", [8]), "bob": folders["bob"] / "checkpoints" / "epoch_007.ckpt"})


def test_nothing_in_common(tmp_path: Path) -> None:
    folders = {"alice": run_of(tmp_path, "alice", [7, 8]), "bob": run_of(tmp_path, "bob", [7, 8], OTHER)}
    with pytest.raises(
        RendezvousError, match=f"no step of a run is everybody's. alice step 90 of run {RUN}; bob step 90 of run {OTHER}"
    ):
        meet(folders)
    with pytest.raises(RendezvousError, match="bob begins anew"):
        meet({"alice": folders["alice"], "bob": None})


def test_all_begin_anew() -> None:
    assert meet({"alice": None, "bob": None}) == {"alice": None, "bob": None}
