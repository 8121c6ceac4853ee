"""Dropout that owns its randomness."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from vertical_lightning.split.own_randomness import OwnRandomness


class Dropout(OwnRandomness):
    """`torch.nn.Dropout` whose masks depend on its own seed and step alone.

    Args:
        probability: Share of entries set to zero in training, in [0, 1). The others are scaled by 1 / (1 - probability).

    >>> Dropout(0.5).eval()(torch.ones(3))
    tensor([1., 1., 1.])
    """

    purpose = "dropout"

    def __init__(self, probability: float) -> None:
        super().__init__()
        if not 0 <= probability < 1:
            raise ValueError(f"dropout={probability} is not in [0, 1).")
        self.probability = probability

    def forward(self, input: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        if not self.training or self.probability == 0 or input.is_meta:
            return input
        keep = torch.rand(input.shape, device=input.device, generator=self.draw(input.device)) >= self.probability
        return input * keep / (1 - self.probability)
