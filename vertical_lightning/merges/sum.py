"""Add embeddings; what a linear model over all columns does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from vertical_lightning.merges.shapes import same_shape
from vertical_lightning.schema import Shape


class Sum(nn.Module):
    """The sum of the embeddings.

    Args:
        shapes: Each sender's embedding shape; all alike.

    >>> Sum({"alice": (1,), "carol": (1,)})([torch.tensor([[1.0]]), torch.tensor([[3.0]])])
    tensor([[4.]])
    """

    def __init__(self, shapes: Mapping[str, Shape]) -> None:
        super().__init__()
        same_shape("sum", shapes)

    def forward(self, embeddings: Sequence[Float[Tensor, "batch *shape"]]) -> Float[Tensor, "batch *shape"]:
        return torch.stack(list(embeddings)).sum(dim=0)
