"""LeNet-5 (LeCun et al. 1998, "Gradient-based learning applied to document recognition", fig. 2)."""

from __future__ import annotations

from functools import partial

from torch import nn

from vertical_lightning.architectures.layers import channels, head, hidden
from vertical_lightning.schema import Shape, StageFactory


class LeNet:
    """Two convolutions and three linear layers, with ReLU and max pooling as is usual today.

    Stages: `conv1`, `conv2`, `fc1`, `fc2`, `head`. The paper pads 28×28 digits to 32×32; here the first convolution pads by 2,
    which is the same for whole digits and also fits halves and quadrants.

    >>> list(LeNet().stages(outputs=10))
    ['conv1', 'conv2', 'fc1', 'fc2', 'head']
    """

    def stages(self, outputs: int) -> dict[str, StageFactory]:
        """Name the stages in order; the last one ends in `outputs` numbers a row."""
        return {
            "conv1": partial(convolution, width=6, padding=2),
            "conv2": partial(convolution, width=16, padding=0),
            "fc1": partial(hidden, width=120),
            "fc2": partial(hidden, width=84),
            "head": partial(head, outputs=outputs),
        }


def convolution(shape: Shape, width: int, padding: int) -> nn.Module:
    """5×5 convolution, ReLU, 2×2 max pooling."""
    return nn.Sequential(nn.Conv2d(channels(shape), width, 5, padding=padding), nn.ReLU(), nn.MaxPool2d(2))
