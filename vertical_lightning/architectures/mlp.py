"""The multilayer perceptron of PyVertical's example, of any depth and width."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from vertical_lightning.architectures.layers import check_widths, head, hidden
from vertical_lightning.schema import StageFactory


class Mlp:
    """Linear layers with ReLU between; images are flattened on entry.

    Stages: `fc1`, `fc2`, …, `head`.

    Args:
        hidden: Widths of the hidden layers; one stage each.

    >>> list(Mlp(hidden=[128, 640]).stages(outputs=10))
    ['fc1', 'fc2', 'head']
    """

    def __init__(self, hidden: Sequence[int] = (128, 640)) -> None:
        check_widths("hidden", hidden)
        self.hidden = hidden

    def stages(self, outputs: int) -> dict[str, StageFactory]:
        """Name the stages in order; the last one ends in `outputs` numbers a row."""
        row: dict[str, StageFactory] = {
            f"fc{number}": partial(hidden, width=width) for number, width in enumerate(self.hidden, start=1)
        }
        return row | {"head": partial(head, outputs=outputs)}
