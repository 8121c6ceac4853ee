"""VGG-11 (Simonyan and Zisserman 2015, table 1, column A) with batch normalization."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from torch import nn

from vertical_lightning.architectures.dropout import Dropout
from vertical_lightning.architectures.layers import channels, check_widths, head, hidden
from vertical_lightning.schema import Shape, StageFactory

WIDTHS: dict[str, Sequence[int]] = {
    "block1": [64],
    "block2": [128],
    "block3": [256, 256],
    "block4": [512, 512],
    "block5": [512, 512],
}


class Vgg11:
    """Five blocks of 3×3 convolutions and three linear layers.

    Stages: `block1` … `block5`, `fc1`, `fc2`, `head`. Departures from the paper: batch normalization; linear layers of 512
    instead of 4,096 by default, as small images need; pooling rounds up, so that 28×28 digits and their strips last five
    blocks.

    Args:
        width: Width of `fc1` and `fc2`; 4,096 in the paper.
        dropout: Share of entries of `fc1` and `fc2` dropped in training; 0.5 in the paper.

    >>> list(Vgg11().stages(outputs=10))
    ['block1', 'block2', 'block3', 'block4', 'block5', 'fc1', 'fc2', 'head']
    """

    def __init__(self, width: int = 512, dropout: float = 0.5) -> None:
        check_widths("width", [width])
        self.width = width
        self.dropout = dropout

    def stages(self, outputs: int) -> dict[str, StageFactory]:
        """Name the stages in order; the last one ends in `outputs` numbers a row."""
        row: dict[str, StageFactory] = {name: partial(block, widths=widths) for name, widths in WIDTHS.items()}
        linear = partial(dropped, width=self.width, dropout=self.dropout)
        return row | {"fc1": linear, "fc2": linear, "head": partial(head, outputs=outputs)}


def block(shape: Shape, widths: Sequence[int]) -> nn.Module:
    """3×3 convolutions with batch normalization and ReLU, then 2×2 max pooling."""
    layers: list[nn.Module] = []
    received = channels(shape)
    for width in widths:
        layers += [nn.Conv2d(received, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU()]
        received = width
    return nn.Sequential(*layers, nn.MaxPool2d(2, ceil_mode=True))


def dropped(shape: Shape, width: int, dropout: float) -> nn.Module:
    """A hidden layer followed by dropout."""
    return nn.Sequential(hidden(shape, width), Dropout(dropout))
