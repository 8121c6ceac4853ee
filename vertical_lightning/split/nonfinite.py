"""When the loss is not finite: the first tensor that was not, and the party that computed it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping

import torch
from torch import Tensor, nn

from vertical_lightning.split.wire import Wire


def first_non_finite(parties: Mapping[str, nn.Module], features: Mapping[str, Tensor], wire: Wire) -> str:
    """Name the first tensor with an infinite or missing number, in the order in which a step computes.

    Features and weights come before the embeddings that they lead to; if all these are finite, the label holder's own stages
    or the loss overflowed.
    """
    for party, name, tensor in computed(parties, features, wire):
        if not tensor.is_meta and not torch.isfinite(tensor).all():  # what is elsewhere has no numbers here
            return f"{name} of {party}"
    return "the logits or the loss at the label holder"


def check_finite(loss: float, step: int, first: Callable[[], str]) -> None:
    """Stop at a loss that is infinite or missing.

    Args:
        loss: The batch's.
        step: Its number.
        first: Finds the first tensor that is not finite.

    Raises:
        FloatingPointError: Names that tensor.
    """
    if not math.isfinite(loss):
        raise FloatingPointError(
            f"the loss is {loss} at step {step}; the first tensor that is not finite: {first()}. "
            "A lower learning rate or clip_norm=1.0 helps where features and weights were sound."
        )


def computed(parties: Mapping[str, nn.Module], features: Mapping[str, Tensor], wire: Wire) -> Iterator[tuple[str, str, Tensor]]:
    """Yield (party, name, tensor) in order of computation."""
    for party, block in features.items():
        yield party, "features", block
    for party, module in parties.items():
        for name, parameter in module.named_parameters():
            yield party, name, parameter
    for hop in wire.hops:
        yield hop.sender, f"embedding {hop.link}", hop.sent
