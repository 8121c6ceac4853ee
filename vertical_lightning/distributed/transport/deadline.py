"""How long a party waits for the others, and what it says meanwhile."""

from __future__ import annotations

import time
from collections.abc import Sequence

from vertical_lightning.distributed.transport.backend import Rendezvous
from vertical_lightning.distributed.transport.failure import RendezvousError

SILENT = 2.0
"""Seconds before a party that waits says so."""


class Deadline:
    """The time that is left for a rendezvous, counted from now.

    >>> Deadline(Rendezvous("alice", ["alice", "bob"], "bob", "localhost:29500", frozenset(), 60.0)).wait(["bob"])
    """

    def __init__(self, rendezvous: Rendezvous) -> None:
        self._rendezvous = rendezvous
        now = time.monotonic()
        self._ends, self._tells = now + rendezvous.patience, now + SILENT

    def wait(self, missing: Sequence[str], said: str = "") -> None:
        """Return if there is time left; tell the user once for whom this party waits.

        Args:
            missing: For whom.
            said: The error's sentence if it is not that they did not come.

        Raises:
            RendezvousError: It is over.
        """
        names, rendezvous = ", ".join(missing), self._rendezvous
        if time.monotonic() > self._ends:
            late = f"{names} did not come to {rendezvous.address} within {rendezvous.patience:.0f} s (execution.patience)."
            raise RendezvousError(missing[0], said or late)
        if time.monotonic() > self._tells:
            print(f"{rendezvous.party} waits at {rendezvous.address} for {names}", flush=True)
            self._tells = self._ends + 1
