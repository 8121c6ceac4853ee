"""Stages that several architectures are made of. Each builds a module from the shape that it receives."""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch import nn

from vertical_lightning.schema import Shape


def hidden(shape: Shape, width: int) -> nn.Module:
    """Flatten, `Linear(…, width)`, ReLU."""
    return nn.Sequential(nn.Flatten(), nn.Linear(math.prod(shape), width), nn.ReLU())


def head(shape: Shape, outputs: int) -> nn.Module:
    """Flatten and `Linear(…, outputs)`: the logits."""
    return nn.Sequential(nn.Flatten(), nn.Linear(math.prod(shape), outputs))


def channels(shape: Shape) -> int:
    """How many channels an image shape has.

    Raises:
        ValueError: If the shape is not `(channels, height, width)`.
    """
    if len(shape) != 3:
        raise ValueError(
            f"a convolution was given rows of shape {shape}; it needs images (channels, height, width). "
            "Choose architecture=mlp or tabular for columns, or a partition that keeps images whole."
        )
    return shape[0]


def check_widths(name: str, widths: Sequence[int]) -> None:
    """Refuse layers without an output.

    Raises:
        ValueError: A width is no integer from 1.
    """
    if any(not isinstance(width, int) or isinstance(width, bool) or width < 1 for width in widths):
        raise ValueError(f"{name}={list(widths)} is not allowed: every width is an integer from 1.")
