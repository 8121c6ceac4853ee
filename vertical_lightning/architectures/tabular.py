"""A multilayer perceptron for tables: layer normalization and dropout after every hidden layer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

from torch import nn

from vertical_lightning.architectures.dropout import Dropout
from vertical_lightning.architectures.layers import check_widths, head
from vertical_lightning.schema import Shape, StageFactory


class Tabular:
    """Linear, LayerNorm, ReLU, dropout, as often as there are widths.

    Stages: `fc1`, `fc2`, …, `head`. LayerNorm and not BatchNorm: a row's embedding must not depend on which other rows of
    the other parties share its batch.

    Args:
        hidden: Widths of the hidden layers; one stage each.
        dropout: Share of entries dropped in training, in [0, 1).

    >>> list(Tabular(hidden=[64, 32]).stages(outputs=2))
    ['fc1', 'fc2', 'head']
    """

    def __init__(self, hidden: Sequence[int] = (64, 64), dropout: float = 0.1) -> None:
        check_widths("hidden", hidden)
        self.hidden = hidden
        self.dropout = dropout

    def stages(self, outputs: int) -> dict[str, StageFactory]:
        """Name the stages in order; the last one ends in `outputs` numbers a row."""
        row: dict[str, StageFactory] = {
            f"fc{number}": partial(normalized, width=width, dropout=self.dropout)
            for number, width in enumerate(self.hidden, start=1)
        }
        return row | {"head": partial(head, outputs=outputs)}


def normalized(shape: Shape, width: int, dropout: float) -> nn.Module:
    """Linear, LayerNorm, ReLU, dropout."""
    linear = nn.Linear(math.prod(shape), width)
    return nn.Sequential(nn.Flatten(), linear, nn.LayerNorm(width), nn.ReLU(), Dropout(dropout))
