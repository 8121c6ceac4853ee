"""The multilayer perceptron of PyVertical's example, of any depth and width."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from torch import nn

from vertical_lightning.architectures.layers import check_widths, head, hidden
from vertical_lightning.schema import Shape, StageFactory


class Mlp:
    """Linear layers with ReLU between; images are flattened on entry.

    Stages: `fc1`, `fc2`, …, `head`.

    Args:
        hidden: Widths of the hidden layers; one stage each.
        activation_at_cut: Whether a stage ends in its ReLU. Without, the next stage begins with it: embeddings are linear,
            and the uncut network is the same.

    >>> list(Mlp(hidden=[128, 640]).stages(outputs=10))
    ['fc1', 'fc2', 'head']
    """

    def __init__(self, hidden: Sequence[int] = (128, 640), activation_at_cut: bool = True) -> None:
        check_widths("hidden", hidden)
        self.hidden, self.activation_at_cut = hidden, activation_at_cut

    def stages(self, outputs: int) -> dict[str, StageFactory]:
        """Name the stages in order; the last one ends in `outputs` numbers a row."""
        row: dict[str, StageFactory] = {}
        for number, width in enumerate(self.hidden, start=1):
            linear = head if number == 1 else activated
            row[f"fc{number}"] = partial(hidden, width=width) if self.activation_at_cut else partial(linear, outputs=width)
        last = head if self.activation_at_cut or not row else activated
        return row | {"head": partial(last, outputs=outputs)}


def activated(shape: Shape, outputs: int) -> nn.Module:
    """ReLU of what arrives, flatten, `Linear(…, outputs)`."""
    return nn.Sequential(nn.ReLU(), head(shape, outputs))
