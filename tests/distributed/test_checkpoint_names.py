"""The label holder chooses checkpoints by name; a name becomes a path only where the own callback could have given it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from pytorch_lightning.callbacks import ModelCheckpoint

from vertical_lightning.distributed.checkpoint_names import own_names
from vertical_lightning.distributed.decisions import Follower
from vertical_lightning.distributed.transport.failure import RefusedError
from vertical_lightning.split.checkpoints import PartyCheckpoints

TEMPLATES = [
    ("epoch_{epoch:03d}", False),
    (None, True),
    ("{epoch}-{val/accuracy:.3f}", True),
    ("best_{val/loss:.2f}", False),
    ("{step}", True),
    ("best", True),
]
FOREIGN = [
    *(
        "..",
        ".",
        "",
        "...ckpt",
        "../x.ckpt",
        "/etc/passwd",
        "a/b.ckpt",
        ".hidden.ckpt",
        "epoch_001",
        "epoch_001.ckpt/..",
        "x.py",
    ),
    *("epoch_" + "9" * 300 + ".ckpt", "epoch_001.ckpt\n", "epoch_001.ckpt\0", "~.ckpt", "epoch_٣.ckpt", "last.ckpt.bak"),
]


@pytest.mark.parametrize(("template", "insert"), TEMPLATES)
def test_a_callback_s_own_names_are_taken(template: str | None, insert: bool) -> None:
    """Whatever Lightning makes of the template, with any metric."""
    saver = ModelCheckpoint(dirpath="/run", filename=template, auto_insert_metric_name=insert)
    names = own_names(saver)
    for value in (0.0, -0.25, 1e-7, 12345.678, float("nan"), float("inf")):
        metrics = {name: torch.tensor(value) for name in ("val/accuracy", "val/loss")}
        given = saver.format_checkpoint_name(metrics | {"epoch": torch.tensor(7), "step": torch.tensor(70)})
        assert names.fullmatch(Path(given).name), given
        assert names.fullmatch(Path(saver.format_checkpoint_name(metrics, ver=2)).name)
    assert names.fullmatch("last.ckpt")
    assert not [name for name in FOREIGN if names.fullmatch(name)]


@pytest.mark.parametrize("name", FOREIGN)
@pytest.mark.parametrize("where", ["kept", "links"])
def test_nothing_is_written_for_another_name(name: str, where: str, tmp_path: Path) -> None:
    saver = ModelCheckpoint(dirpath=tmp_path / "checkpoints", filename="epoch_{epoch:03d}", auto_insert_metric_name=False)
    saver.monitor = "val/loss"
    said: dict[str, Any] = {"stop": False, "kept": [{name: 3} if where == "kept" else {}]}
    said["links"] = [{"last.ckpt": name} if where == "links" else {}]
    bob = SimpleNamespace(refused=lambda why: RefusedError.of("bob", "alice", why))
    session: Any = SimpleNamespace(label_holder="bob", peers={"bob": bob}, hear=lambda what: said)
    trainer: Any = SimpleNamespace(should_stop=False, global_step=3, default_root_dir=str(tmp_path), save_checkpoint=touch)
    with pytest.raises(RefusedError, match=r"alice refuses what bob sent: it names a checkpoint .*writes epoch_\{epoch:03d\}"):
        Follower(session, [saver], PartyCheckpoints(["alice"])).decide(trainer)
    assert not list(tmp_path.rglob("*")), "something was written"


def touch(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
