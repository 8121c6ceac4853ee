"""Rows of images as the parties hold them, one beside another; the pictures of this room are drawn with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure
from torch import Tensor

COLUMNS = 5


def images(held: Mapping[str, object]) -> dict[str, Tensor]:
    """Return the blocks that are images `[rows, channels, height, width]`, in gray or color, and here."""
    blocks = {party: block for party, block in held.items() if isinstance(block, Tensor) and not block.is_meta}
    return {party: block for party, block in blocks.items() if block.ndim == 4 and block.shape[1] in (1, 3)}


def draw(pieces: Mapping[str, Tensor], titles: Sequence[str], black: float, white: float) -> Figure:
    """Draw rows, five beside one another: the parties' pieces in a pile, the row's title on top.

    Args:
        pieces: For each party its pieces `[rows, channels, height, width]`.
        titles: One for each row that is drawn.
        black: The number that is black.
        white: The number that is white.
    """
    blocks = -(-len(titles) // COLUMNS)
    lines = [line for title in titles for line in title.splitlines()]
    width = max(1.0, 0.08 * max(map(len, lines)))  # inches; a title's letters are 0.08 wide
    figure = Figure(figsize=(COLUMNS * width, 1.35 * blocks * len(pieces)), layout="constrained")
    axes = figure.subplots(blocks * len(pieces), COLUMNS, squeeze=False)
    for axis in axes.flat:
        axis.set_axis_off()
    for row, title in enumerate(titles):
        for level, (party, block) in enumerate(pieces.items()):
            axis = axes[row // COLUMNS * len(pieces) + level, row % COLUMNS]
            shades = (block[row].cpu().float() - black) / (white - black)
            axis.imshow(shades.clamp(0, 1).permute(1, 2, 0).squeeze(-1).numpy(), cmap="gray", vmin=0, vmax=1)
            axis.set_title(title if level == 0 else "", fontsize=10)
            if row % COLUMNS == 0:
                axis.text(-0.15, 0.5, party, rotation=90, ha="right", va="center", transform=axis.transAxes)
    return figure
