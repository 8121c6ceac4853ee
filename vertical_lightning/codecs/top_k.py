"""The largest numbers of each row, and where they stand."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor

from vertical_lightning.schema import Shape
from vertical_lightning.split.codec import Codec, Payload


class TopK(Codec):
    """Sends of each row of an embedding the share with the largest magnitudes; the receiver reads zeros elsewhere.

    The gradient of what was not sent is zero, so only the others' go back, without indices: both ends know them. Bytes a row:
    k numbers and k indices forth, of one, two or four bytes as the row's width needs, and k numbers back (Zheng et al. 2023,
    "Reducing communication for split learning by randomized top-k sparsification", count log₂ d bits an index).

    Args:
        ratio: Share of a row's numbers that is sent, in (0, 1], rounded to at least one; 1 sends the tensor itself.

    Raises:
        ValueError: `ratio` is no such share.

    >>> codec = TopK(0.5)
    >>> payload = codec.encode(torch.tensor([[3.0, -1.0, 0.5, -4.0]]))
    >>> payload["values"], payload["indices"].dtype
    (tensor([[ 3., -4.]]), torch.uint8)
    >>> codec.decode(payload, (1, 4), torch.float32)
    tensor([[ 3.,  0.,  0., -4.]])
    """

    neutral: ClassVar[Mapping[str, object]] = {"ratio": 1.0}

    def __init__(self, ratio: float) -> None:
        super().__init__()
        if not 0 < ratio <= 1:
            raise ValueError(
                f"codec.ratio={ratio} is not allowed: give the share of each row that is sent, above 0 and up to 1."
            )
        self.ratio = ratio

    def kept(self, row: Shape) -> int:
        """Return how many numbers of a row are sent."""
        return max(1, round(self.ratio * math.prod(row)))

    def encode(self, tensor: Tensor, forward: Payload | None = None) -> Payload:
        """Keep the largest of each row, in the order in which they stand; of a gradient, what its embedding kept."""
        count, rows = self.kept(tuple(tensor.shape[1:])), tensor.flatten(1)
        if count >= rows.shape[1]:
            return {"tensor": tensor}
        if forward is not None:
            return {"values": rows.gather(1, forward["indices"].long())}
        indices = rows.abs().topk(count, dim=1).indices.sort(dim=1).values
        return {"values": rows.gather(1, indices), "indices": indices.to(index_dtype(rows.shape[1]))}

    def decode(self, payload: Payload, shape: Shape, dtype: torch.dtype, forward: Payload | None = None) -> Tensor:
        """Put the numbers in their places, among zeros."""
        if "tensor" in payload:
            return payload["tensor"]
        values, indices = payload["values"], (forward or payload)["indices"].long()
        return values.new_zeros(shape[0], math.prod(shape[1:])).scatter(1, indices, values).reshape(shape)

    def layout(self, shape: Shape, dtype: torch.dtype, forward: Payload | None = None) -> Payload:
        """Say how many numbers and indices there are."""
        count, width = self.kept(shape[1:]), math.prod(shape[1:])
        if count >= width:
            return super().layout(shape, dtype)
        values = {"values": torch.empty(shape[0], count, dtype=dtype, device="meta")}
        indices = {"indices": torch.empty(shape[0], count, dtype=index_dtype(width), device="meta")}
        return values if forward is not None else values | indices

    def check(self, payload: Payload, shape: Shape) -> None:
        """Refuse indices that are not ascending, or stand outside the row."""
        if "indices" in payload:
            indices = payload["indices"].long()
            inside = bool((indices >= 0).all()) and bool((indices < math.prod(shape[1:])).all())
            if not inside or not bool((indices.diff(dim=1) > 0).all()):
                raise ValueError(f"its indices must ascend within rows of {math.prod(shape[1:])} numbers")


def index_dtype(width: int) -> torch.dtype:
    """Return the smallest integers that count a row's numbers.

    >>> index_dtype(256), index_dtype(257), index_dtype(40_000)
    (torch.uint8, torch.int16, torch.int32)
    """
    return torch.uint8 if width <= 2**8 else torch.int16 if width <= 2**15 else torch.int32
