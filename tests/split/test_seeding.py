"""Secret seeds count in their full width, and stand in no log."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import torch
from job import SMALL, run
from running import QUICK

from vertical_lightning.architectures.mlp import Mlp
from vertical_lightning.merges.concat import Concat
from vertical_lightning.split.checkpoint_file import read
from vertical_lightning.split.seeding import WORDS, generator, state
from vertical_lightning.split.topology import Topology


def test_the_state_is_that_of_a_mersenne_twister() -> None:
    """Checked against numpy's: torch would take other bytes without a word."""
    whole = state("key").numpy().tobytes()
    words = np.array(struct.unpack(f"<{WORDS}Q", whole[24 : 24 + 8 * WORDS]), dtype=np.uint32)
    reference = np.random.MT19937()
    reference.state = {"bit_generator": "MT19937", "state": {"key": words, "pos": WORDS}}
    drawn = torch.empty(1500, dtype=torch.int32).random_(generator=generator(torch.device("cpu"), "key"))
    assert drawn.tolist() == (reference.random_raw(1500) % 2**31).tolist()


def test_every_bit_of_a_seed_changes_all_weights() -> None:
    def weights(seed: int) -> torch.Tensor:
        network = Topology(Mlp([4]), {"alice": (3,)}, 2, "bob", owners=["bob"], cut=1, merge=Concat, seed=seed)
        return torch.cat([one.flatten() for one in network.parameters()])

    first = weights(7)
    assert torch.equal(first, weights(7))
    for bit in (0, 31, 32, 62, 63, 127):
        assert not torch.isclose(first, weights(7 ^ (1 << bit))).any(), bit


def test_a_seed_is_in_the_checkpoint_and_nowhere_else(tmp_path: Path) -> None:
    seed = 2**100 + 12345678901234567
    run(tmp_path, *SMALL, *QUICK, "execution=gloo", "trainer.max_epochs=1", f"party_seed={seed}")
    for path in tmp_path.rglob("*"):
        if path.is_file() and path.suffix != ".ckpt":
            assert str(seed).encode() not in path.read_bytes(), path
        if path.is_file() and path.parent != tmp_path:
            assert path.stat().st_mode & 0o077 == 0, path
    assert read(tmp_path / "alice" / "checkpoints" / "last.ckpt" / "alice.ckpt")["party_seed"] == seed
