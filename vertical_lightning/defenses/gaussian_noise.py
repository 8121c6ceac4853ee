"""Gaussian noise on what a party sends."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from vertical_lightning.split.guard import End, Guard
from vertical_lightning.split.own_randomness import OwnRandomness


class GaussianNoise(OwnRandomness, Guard):
    """Adds independent Gaussian noise to every number of an embedding, in training and in evaluation.

    Noise, and no differential privacy: embeddings are not bounded, so no amount of it gives a guarantee.

    Args:
        std: Standard deviation, in the embedding's own units, from 0; 0 sends the embedding as it is.

    Raises:
        ValueError: `std` is negative or not finite.

    >>> GaussianNoise(0.0).embedding(torch.ones(2), End("alice", "alice", "bob"))
    tensor([1., 1.])
    """

    purpose = "gaussian noise"
    neutral: ClassVar[Mapping[str, object]] = {"std": 0.0}

    def __init__(self, std: float) -> None:
        super().__init__()
        if not 0 <= std < math.inf:
            raise ValueError(
                f"defense.gaussian_noise.std={std} is not allowed: give a number from 0, in the embedding's units."
            )
        self.std = std

    def embedding(self, tensor: Float[Tensor, "batch *row"], end: End) -> Float[Tensor, "batch *row"]:
        """Add noise."""
        if self.std == 0:
            return tensor
        noise = torch.randn(tensor.shape, device=tensor.device, dtype=tensor.dtype, generator=self.draw(tensor.device))
        return tensor + self.std * noise
