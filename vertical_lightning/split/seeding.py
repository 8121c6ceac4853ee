"""Seeds that are a function of what they are for."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor

Built = TypeVar("Built")

WORDS = 624
"""Of 32 bits in the state of torch's CPU generator, a Mersenne twister."""


def derive(*key: object) -> int:
    """Return a seed below 2**32 for a key of numbers and strings; other keys give unrelated seeds.

    Torch's CPU generator uses the lowest 32 bits only, so `seed + epoch` or `seed << 32 | epoch` would make streams that meet.
    Whoever can try 2**32 seeds can find one: nothing that is to stay secret may come from it.

    >>> derive(0, "order", 1) == derive(0, "order", 1) != derive(0, "order", 2)
    True
    """
    return int.from_bytes(hashlib.blake2b(repr(key).encode(), digest_size=4).digest(), "big")


def state(*key: object) -> Tensor:
    """Return a state for torch's CPU generators that depends on every bit of a key of numbers and strings.

    The layout is torch's: 24 bytes of counters, then the words in 8 bytes each; the words are SHAKE-256 of the key.
    """
    words = struct.unpack(f"<{WORDS}I", hashlib.shake_256(repr(key).encode()).digest(4 * WORDS))
    words_of_state = torch.Generator().get_state()
    words_of_state[24 : 24 + 8 * WORDS] = torch.frombuffer(bytearray(struct.pack(f"<{WORDS}Q", *words)), dtype=torch.uint8)
    return words_of_state


def generator(device: torch.device, *key: object) -> torch.Generator:
    """Return a generator that depends on every bit of a key; on a GPU on 64 bits of its digest, which is all that it takes.

    >>> draw = [torch.rand(2, generator=generator(torch.device("cpu"), seed)).tolist() for seed in (1, 1 + 2**40, 1)]
    >>> draw[0] == draw[2] != draw[1]
    True
    """
    made = torch.Generator(device)
    if device.type == "cpu":
        return made.set_state(state(*key))
    return made.manual_seed(int.from_bytes(hashlib.blake2b(repr(key).encode(), digest_size=8).digest(), "big") >> 1)


def seeded(build: Callable[[], Built], *key: object) -> Built:
    """Build a module whose weights are a function of `key` alone, and leave the global generator as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.set_state(state("weights", *key))
        return build()
