"""How a tensor is written on the wire: the seam of compression."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn

from vertical_lightning.schema import Shape

Payload = dict[str, Tensor]
"""What crosses, by name, in the order in which it is sent; its bytes are those that are counted."""


class Codec(nn.Module):
    """Writes a tensor as a payload and reads it back; the tensor itself unless overridden.

    Each end of each hop has a codec of its own among its party's modules, so what it keeps between steps (error feedback)
    stays with its party and is in its checkpoints. Evaluation must leave that alone: see `self.training`.

    On the way back both ends know what the embedding crossed in (`forward`); a mask that both know need not be sent again.

    Attributes:
        neutral: Arguments with which the tensor itself crosses.

    >>> Codec().decode(Codec().encode(torch.ones(2)), (2,), torch.float32)
    tensor([1., 1.])
    """

    neutral: ClassVar[Mapping[str, object]] = {}

    def encode(self, tensor: Tensor, forward: Payload | None = None) -> Payload:
        """Write a tensor.

        Args:
            tensor: An embedding or a gradient `[batch, *shape]`, without a graph.
            forward: For a gradient, the payload of its embedding; None for an embedding.
        """
        return {"tensor": tensor}

    def decode(self, payload: Payload, shape: Shape, dtype: torch.dtype, forward: Payload | None = None) -> Tensor:
        """Return the tensor that a payload stands for, of this shape (with the batch) and dtype."""
        return payload["tensor"]

    def layout(self, shape: Shape, dtype: torch.dtype, forward: Payload | None = None) -> Payload:
        """Return what `encode` gives for a tensor of this shape, on the device `meta`: nothing else may come."""
        return {"tensor": torch.empty(shape, dtype=dtype, device="meta")}

    def check(self, payload: Payload, shape: Shape) -> None:
        """Refuse a payload of the right layout that `encode` cannot have written; it may be a stranger's.

        Raises:
            ValueError: Says what is wrong with it.
        """


PLAIN = Codec()
"""The tensor itself."""
