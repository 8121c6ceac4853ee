"""Feature maps of image pieces, put back where the pieces came from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from vertical_lightning.schema import Shape

Piece = TypeVar("Piece")


class Stitch(nn.Module):
    """Lay the parties' feature maps out as a grid, row by row.

    Args:
        shapes: Each sender's feature map shape `(channels, height, width)`; pieces of one grid row share a height, all
            rows have one total width.
        columns: Pieces per grid row: all of them for vertical strips (the default), 1 for horizontal strips, 2 for quadrants.

    >>> Stitch({"left": (1, 2, 1), "right": (1, 2, 3)})([torch.ones(5, 1, 2, 1), torch.ones(5, 1, 2, 3)]).shape
    torch.Size([5, 1, 2, 4])
    """

    def __init__(self, shapes: Mapping[str, Shape], columns: int | None = None) -> None:
        super().__init__()
        self.columns = columns or len(shapes)
        sent = ", ".join(f"{party} {shape}" for party, shape in shapes.items())
        if any(len(shape) != 3 for shape in shapes.values()):
            raise ValueError(
                f"merge=stitch needs feature maps (channels, height, width), but these arrive: {sent}. "
                "Choose merge=concat, or a cut before the feature maps are flattened."
            )
        rows = self.grid(list(shapes.values()))
        fits = len({shape[0] for shape in shapes.values()}) == 1
        fits &= all(len({height for _, height, _ in row}) == 1 for row in rows)
        fits &= len({sum(width for _, _, width in row) for row in rows}) == 1
        if not fits:
            raise ValueError(
                f"merge=stitch with {self.columns} columns cannot lay these pieces out as a rectangle: {sent}. "
                "Set merge.columns to the pieces in one row of the image, or choose merge=concat."
            )

    def grid(self, pieces: Sequence[Piece]) -> list[Sequence[Piece]]:
        """Cut the row of pieces into grid rows."""
        return [pieces[start : start + self.columns] for start in range(0, len(pieces), self.columns)]

    def forward(
        self, embeddings: Sequence[Float[Tensor, "batch channels _ _"]]
    ) -> Float[Tensor, "batch channels height width"]:
        return torch.cat([torch.cat(list(row), dim=3) for row in self.grid(embeddings)], dim=2)
