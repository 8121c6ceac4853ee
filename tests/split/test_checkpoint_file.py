"""A party's checkpoint is read as it was written, or refused in one sentence."""

from __future__ import annotations

import errno
import random
from pathlib import Path
from typing import Any

import pytest
import torch

from vertical_lightning.split import checkpoint_file
from vertical_lightning.split.checkpoint_file import read, write_all


def content() -> dict[str, Any]:
    generator = torch.Generator().manual_seed(0)
    weights = {"network.parties.alice.bottom.weight": torch.randn(40, 30, generator=generator)}
    return {"state_dict": weights, "party_seed": 2**127 + 1, "epoch": 3, "run": "a1"}


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    write_all({tmp_path / "alice.ckpt": content()})
    return tmp_path / "alice.ckpt"


def test_it_comes_back_and_is_torchs(saved: Path) -> None:
    for found in (read(saved), torch.load(saved, weights_only=True)):
        assert torch.equal(*(one["state_dict"]["network.parties.alice.bottom.weight"] for one in (found, content())))
        assert found["party_seed"] == 2**127 + 1


def test_nobody_else_may_read_it(saved: Path) -> None:
    assert saved.stat().st_mode & 0o777 == 0o600


def test_every_damage_is_one_sentence(saved: Path) -> None:
    whole, draw = saved.read_bytes(), random.Random(0)
    damaged = [whole[:length] for length in (0, 1, 31, 32, 33, len(whole) // 2, len(whole) - 1)]
    for _ in range(500):
        one = bytearray(whole)
        one[draw.randrange(len(one))] ^= 1 << draw.randrange(8)
        damaged.append(bytes(one))
    for one in [*damaged, whole + b"\0", b"", b"PK"]:
        saved.write_bytes(one)
        with pytest.raises(ValueError, match="is damaged, or no checkpoint of this version"):
            read(saved)


def test_a_full_disk_leaves_what_was_there(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, write = saved.read_bytes(), checkpoint_file.write

    def full(content: dict[str, Any], path: Path) -> None:
        write(content, path)
        if "bob" in path.name:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(checkpoint_file, "write", full)
    with pytest.raises(
        OSError, match=r"bob.ckpt cannot be written \(No space left on device\); what was saved before is whole"
    ):
        write_all({saved: {}, saved.with_name("bob.ckpt"): {}})
    assert saved.read_bytes() == before
    assert [path.name for path in saved.parent.iterdir()] == ["alice.ckpt"]
