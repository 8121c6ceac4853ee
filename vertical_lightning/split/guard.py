"""What a party does at its own end of the wire: the seam of defenses, which are honest guards, and of adversaries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar, NamedTuple, cast

from torch import Tensor, nn


class End(NamedTuple):
    """One party's end of a hop.

    Attributes:
        party: Whose end this is, the sender or the receiver of the embedding.
        sender: Who sends the embedding, and gets a gradient back.
        receiver: Who receives it.
    """

    party: str
    sender: str
    receiver: str

    @property
    def sends(self) -> bool:
        """Whether the embedding goes out here."""
        return self.party == self.sender


class Own(NamedTuple):
    """A party's own rows of the batch under way.

    Attributes:
        features: Its own block `[batch, *shape]`; None where it has none.
        labels: `[batch]`, at the label holder only.
    """

    features: Tensor | None = None
    labels: Tensor | None = None


class Guard(nn.Module):
    """Rewrites what its party sends; the identity unless overridden.

    A guard sees its own party's tensors and nothing else. It is one of its party's modules: checkpoints keep its state, the
    party's optimizer steps its parameters, the audit walks through its graph, and `self.training` tells training from
    evaluation. Parties do not know each other's guards: a received tensor asks for a gradient where the sender's stages do.

    Attributes:
        neutral: Arguments with which it changes nothing; training is then bit-identical to training without it.

    >>> import torch
    >>> Guard().embedding(torch.ones(2), End("alice", "alice", "bob"))
    tensor([1., 1.])
    """

    neutral: ClassVar[Mapping[str, object]] = {}

    def embedding(self, tensor: Tensor, end: End) -> Tensor:
        """Return what is sent instead of an embedding `[batch, *shape]`, of the same shape, within the sender's graph."""
        return tensor

    def gradient(self, gradient: Tensor, end: End, own: Own) -> Tensor:
        """Return what the embedding's receiver sends back instead of its gradient `[batch, *shape]`."""
        return gradient

    def penalty(self, tensor: Tensor, end: End, own: Own) -> Tensor | None:
        """Return a scalar that is added to this party's own loss; None for none.

        Args:
            tensor: At the sender what it sends, with its graph; at the receiver the leaf that it received.
            end: Whose end of which hop.
            own: The party's own rows of the batch.
        """
        return None

    def targets(self, labels: Tensor) -> Tensor:
        """Return what the label holder trains on instead of its labels."""
        return labels

    def answers(self, logits: Tensor) -> Tensor:
        """Return what the label holder gives out instead of its logits, in evaluation and prediction."""
        return logits


class Guards(nn.ModuleDict):
    """One party's guards by name; each gets what the one before it returned."""

    def each(self) -> Iterator[Guard]:
        """Yield the guards in order."""
        return (cast(Guard, guard) for guard in self.values())

    def embedding(self, tensor: Tensor, end: End) -> Tensor:
        """Return what is sent."""
        for guard in self.each():
            tensor = guard.embedding(tensor, end)
        return tensor

    def gradient(self, gradient: Tensor, end: End, own: Own) -> Tensor:
        """Return what is sent back."""
        for guard in self.each():
            gradient = guard.gradient(gradient, end, own)
        return gradient

    def penalty(self, tensor: Tensor, end: End, own: Own) -> Tensor | None:
        """Add up what the guards charge; None if none of them does."""
        terms = [term for guard in self.each() if (term := guard.penalty(tensor, end, own)) is not None]
        return sum(terms[1:], terms[0]) if terms else None

    def targets(self, labels: Tensor) -> Tensor:
        """Return what is trained on."""
        for guard in self.each():
            labels = guard.targets(labels)
        return labels

    def answers(self, logits: Tensor) -> Tensor:
        """Return what is given out."""
        for guard in self.each():
            logits = guard.answers(logits)
        return logits
