"""Take the largest entry of the embeddings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from vertical_lightning.merges.shapes import same_shape
from vertical_lightning.schema import Shape


class Max(nn.Module):
    """The entry-wise maximum of the embeddings; the gradient goes to the party that held it.

    Args:
        shapes: Each sender's embedding shape; all alike.

    >>> Max({"alice": (1,), "carol": (1,)})([torch.tensor([[1.0]]), torch.tensor([[3.0]])])
    tensor([[3.]])
    """

    def __init__(self, shapes: Mapping[str, Shape]) -> None:
        super().__init__()
        same_shape("max", shapes)

    def forward(self, embeddings: Sequence[Float[Tensor, "batch *shape"]]) -> Float[Tensor, "batch *shape"]:
        return torch.stack(list(embeddings)).amax(dim=0)
