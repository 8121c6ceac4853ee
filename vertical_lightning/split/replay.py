"""An earlier round's hops once more, for local steps between two exchanges."""

from __future__ import annotations

import torch
from torch import Tensor

from vertical_lightning.split.hop import Hop
from vertical_lightning.split.wire import Wire


class Replay(Wire):
    """The hops of an earlier round again, for local steps: the embeddings and gradients are stale, and nothing crosses.

    Every party computes with its newest weights; guards act on the party's own graph, and rewrite no gradient, as none is sent.

    Args:
        wire: The wire after `return_gradients`.
    """

    def __init__(self, wire: Wire) -> None:
        super().__init__(wire.transport, wire.guards)
        self.stale, self.own = wire.hops, wire.own

    def cross(self, hop: Hop) -> Tensor:
        """Bring the stale embedding."""
        stale = self.stale[len(self.hops)]
        assert (stale.sender, stale.receiver) == (hop.sender, hop.receiver)
        with torch.no_grad():
            return stale.received.clone()

    def answer(self, hop: Hop) -> Tensor | None:
        """Bring the stale gradient."""
        return next(stale.gradient for stale, again in zip(self.stale, self.hops, strict=True) if again is hop)
