"""Stand-ins for what parties in other processes compute."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain

import torch
from torch import Tensor, nn

from vertical_lightning.schema import Shape
from vertical_lightning.split.wire import meta_like


class ShapeInference:
    """Finds once, on `meta`, what shape stages give: torch takes longer over shapes than over numbers."""

    def __init__(self) -> None:
        self.known: dict[object, tuple[Shape, torch.dtype]] = {}

    def infer(
        self, name: object, stages: Sequence[nn.Module], inputs: Sequence[Tensor], compute: Callable[[list[Tensor]], Tensor]
    ) -> Tensor:
        """Return a tensor on `meta` of the shape that stages give; it learns if an input or a weight does.

        Args:
            name: Of the stages.
            stages: On `meta`.
            inputs: On `meta`.
            compute: Runs the stages.
        """
        key = (name, *(tuple(tensor.shape[1:]) for tensor in inputs))
        if key not in self.known:
            output = compute([tensor.new_empty(2, *tensor.shape[1:]) for tensor in inputs])
            self.known[key] = tuple(output.shape[1:]), output.dtype
        return meta_like(
            len(inputs[0]), *self.known[key], of=chain(inputs, (weight for stage in stages for weight in stage.parameters()))
        )
