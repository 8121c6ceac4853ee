"""How much of an input still shows in its embedding: a first look at leakage, without any attack."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor


@torch.no_grad()
def distance_correlation(first: Float[Tensor, "rows *_"], second: Float[Tensor, "rows *_"]) -> float:
    """Distance correlation of two samples of the same rows, in [0, 1] (Székely, Rizzo and Bakirov 2007, eq. 2.8).

    0 only where the two are independent, 1 where one is the other turned, moved and scaled. With few rows it is biased
    upward: compare numbers of one number of rows only.

    >>> points = torch.tensor([[0.0], [1.0], [3.0]])
    >>> round(distance_correlation(points, 5 - 2 * points), 6)
    1.0
    """
    one, other = centered(first), centered(second)
    shared = (one * other).mean()
    spread = ((one * one).mean() * (other * other).mean()).sqrt()
    return float((shared.clamp(min=0) / spread).sqrt()) if spread > 0 else 0.0


def centered(rows: Float[Tensor, "rows *_"]) -> Float[Tensor, "rows rows"]:
    """Euclidean distances of all pairs of rows, with row and column means taken out."""
    flat = rows.flatten(1).double()
    distances = torch.cdist(flat, flat, compute_mode="donot_use_mm_for_euclid_dist")
    return distances - distances.mean(0, keepdim=True) - distances.mean(1, keepdim=True) + distances.mean()
