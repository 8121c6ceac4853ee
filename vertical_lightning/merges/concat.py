"""Embeddings side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from vertical_lightning.merges.shapes import same_shape
from vertical_lightning.schema import Shape


class Concat(nn.Module):
    """Concatenate along features, or along channels for feature maps.

    Args:
        shapes: Each sender's embedding shape; heights and widths of feature maps must agree.

    >>> Concat({"alice": (2,), "carol": (1,)})([torch.ones(3, 2), torch.zeros(3, 1)]).shape
    torch.Size([3, 3])
    """

    def __init__(self, shapes: Mapping[str, Shape]) -> None:
        super().__init__()
        same_shape("concat", {party: (0, *shape[1:]) for party, shape in shapes.items()})

    def forward(self, embeddings: Sequence[Float[Tensor, "batch *_"]]) -> Float[Tensor, "batch *_"]:
        return torch.cat(list(embeddings), dim=1)
