"""Dropout that owns its randomness."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from vertical_lightning.split.seeding import generator


class Dropout(nn.Module):
    """`torch.nn.Dropout` whose masks depend on its own seed and step alone.

    Torch's dropout draws from one global stream: then a second party's draws change the first one's masks, and a resumed run
    continues with other masks than an uninterrupted one. Here mask number n is a function of (seed, n); the seed is drawn at
    construction, and both numbers are in the state dict.

    Args:
        probability: Share of entries set to zero in training, in [0, 1). The others are scaled by 1 / (1 - probability).

    >>> Dropout(0.5).eval()(torch.ones(3))
    tensor([1., 1., 1.])
    """

    def __init__(self, probability: float) -> None:
        super().__init__()
        if not 0 <= probability < 1:
            raise ValueError(f"dropout={probability} is not in [0, 1).")
        self.probability = probability
        self.seed = int(torch.randint(2**62, (), device="cpu"))
        self.step = 0

    def forward(self, input: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        if not self.training or self.probability == 0 or input.is_meta:
            return input
        noise = generator(input.device, "dropout", self.seed, self.step)
        self.step += 1
        keep = torch.rand(input.shape, device=input.device, generator=noise) >= self.probability
        return input * keep / (1 - self.probability)

    def get_extra_state(self) -> dict[str, int]:
        """What the state dict keeps."""
        return {"seed": self.seed, "step": self.step}

    def set_extra_state(self, state: dict[str, int]) -> None:
        """Continue where the state dict ended."""
        self.seed, self.step = state["seed"], state["step"]
