"""A party may add up the gradients of several batches before it steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from torch import nn


@dataclass(frozen=True)
class Accumulation:
    """How many batches each party's step is made of; the mean of their gradients, as if they were one batch.

    A window begins with an epoch, and ends with it though it be short. A checkpoint within a window does not keep what has
    been added up.

    Args:
        batches: By party; 1 for whoever is not named.

    Raises:
        ValueError: A number is no integer from 1.

    >>> two, parties = Accumulation({"alice": 2}), {"alice": nn.Linear(1, 1), "bob": nn.Linear(1, 1)}
    >>> [two.due(parties, batch, last=batch == 2) for batch in range(3)]
    [['bob'], ['alice', 'bob'], ['alice', 'bob']]
    """

    batches: Mapping[str, int]

    def __post_init__(self) -> None:
        """Refuse what would never step."""
        for party, number in self.batches.items():
            if not isinstance(number, int) or isinstance(number, bool) or number < 1:
                raise ValueError(f"accumulate.{party}={number} is no number of batches; give an integer from 1.")

    def begin(self, parties: Mapping[str, nn.Module], batch: int) -> None:
        """Clear the gradients of every party that begins a new window with this batch of the epoch."""
        for party, module in parties.items():
            if batch % self.batches.get(party, 1) == 0:
                module.zero_grad()

    def due(self, parties: Mapping[str, nn.Module], batch: int, last: bool) -> list[str]:
        """Name the parties that step after this batch of the epoch, with the mean of what they have added up."""
        stepping = [party for party in parties if last or (batch + 1) % self.batches.get(party, 1) == 0]
        for party in stepping:
            if (length := batch % self.batches.get(party, 1) + 1) > 1:
                for parameter in parties[party].parameters():
                    if parameter.grad is not None:
                        parameter.grad.div_(length)
        return stepping


@contextmanager
def without_gradients(module: nn.Module) -> Iterator[None]:
    """Hide a module's gradients, so that an optimizer's step counts and changes nothing."""
    hidden = [(parameter, parameter.grad) for parameter in module.parameters()]
    module.zero_grad()
    try:
        yield
    finally:
        for parameter, gradient in hidden:
            parameter.grad = gradient
