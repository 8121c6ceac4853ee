"""A weighted mean of embeddings, with weights learned per party and computed per row."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from vertical_lightning.merges.shapes import same_shape
from vertical_lightning.schema import Shape


class Attention(nn.Module):
    """Score each party's embedding with that party's learned query; mix by the softmax of the scores.

    The queries start at zero, so training starts from the mean.

    Args:
        shapes: Each sender's embedding shape; all alike.

    >>> Attention({"alice": (1,), "carol": (1,)})([torch.tensor([[1.0]]), torch.tensor([[3.0]])])
    tensor([[2.]], grad_fn=<SumBackward1>)
    """

    def __init__(self, shapes: Mapping[str, Shape]) -> None:
        super().__init__()
        self.query = nn.Parameter(torch.zeros(len(shapes), math.prod(same_shape("attention", shapes))))

    def forward(self, embeddings: Sequence[Float[Tensor, "batch *shape"]]) -> Float[Tensor, "batch *shape"]:
        stacked = torch.stack(list(embeddings), dim=1)
        batch, parties, *shape = stacked.shape
        scores = (stacked.flatten(2) * self.query).sum(dim=2) / math.sqrt(math.prod(shape))
        weights = scores.softmax(dim=1).reshape(batch, parties, *[1] * len(shape))
        return (weights * stacked).sum(dim=1)
