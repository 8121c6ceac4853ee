"""Modules that own their randomness."""

from __future__ import annotations

import torch
from torch import nn

from vertical_lightning.split.seeding import generator


class OwnRandomness(nn.Module):
    """A module whose training draw number n depends on its own seed and n alone.

    Torch's modules draw from one global stream: then a second party's draws change the first one's, and a resumed run goes on
    with other draws than an uninterrupted one. Here the seed is drawn at construction, and seed and number are in the state
    dict. Draws in evaluation are a stream of their own, which every evaluation begins anew: evaluating more often changes no
    training, and a checkpoint's numbers can be found again.

    Attributes:
        purpose: What is drawn; modules of another purpose draw other numbers from the same seed.
    """

    purpose = "noise"

    def __init__(self) -> None:
        super().__init__()
        self.seed = int(torch.randint(2**62, (), device="cpu"))
        self.step = 0
        self.evaluated = 0

    def draw(self, device: torch.device) -> torch.Generator:
        """Return the generator of the next draw."""
        if self.training:
            self.step += 1
            return generator(device, self.purpose, self.seed, self.step - 1)
        self.evaluated += 1
        return generator(device, f"{self.purpose} in evaluation", self.seed, self.evaluated - 1)

    def train(self, mode: bool = True) -> OwnRandomness:
        """Begin evaluation's draws anew."""
        self.evaluated = 0
        super().train(mode)
        return self

    def get_extra_state(self) -> dict[str, int]:
        """What the state dict keeps."""
        return {"seed": self.seed, "step": self.step}

    def set_extra_state(self, state: dict[str, int]) -> None:
        """Continue where the state dict ended."""
        self.seed, self.step = state["seed"], state["step"]
