"""Average embeddings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from vertical_lightning.merges.shapes import same_shape
from vertical_lightning.schema import Shape


class Mean(nn.Module):
    """The mean of the embeddings; each party's gradient is 1/parties of a sum's.

    Args:
        shapes: Each sender's embedding shape; all alike.

    >>> Mean({"alice": (1,), "carol": (1,)})([torch.tensor([[1.0]]), torch.tensor([[3.0]])])
    tensor([[2.]])
    """

    def __init__(self, shapes: Mapping[str, Shape]) -> None:
        super().__init__()
        same_shape("mean", shapes)

    def forward(self, embeddings: Sequence[Float[Tensor, "batch *shape"]]) -> Float[Tensor, "batch *shape"]:
        return torch.stack(list(embeddings)).mean(dim=0)
