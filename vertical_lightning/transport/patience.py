"""How long a party waits for the others, and what it says meanwhile."""

from __future__ import annotations

import time
from collections.abc import Sequence

from vertical_lightning.transport.failure import MeetingError
from vertical_lightning.transport.link import Meeting

SILENT = 2.0
"""Seconds before a party that waits says so."""


class Patience:
    """The seconds that a party has for a meeting, from now on.

    >>> Patience(Meeting("alice", ["alice", "bob"], "bob", "localhost:29500", frozenset(), 60.0)).wait(["bob"])
    """

    def __init__(self, meeting: Meeting) -> None:
        self._meeting = meeting
        now = time.monotonic()
        self._ends, self._tells = now + meeting.patience, now + SILENT

    def wait(self, missing: Sequence[str], said: str = "") -> None:
        """Go on waiting, and tell the user, once.

        Args:
            missing: For whom.
            said: The error's sentence if it is not that they did not come.

        Raises:
            MeetingError: It is over.
        """
        names, meeting = ", ".join(missing), self._meeting
        if time.monotonic() > self._ends:
            late = f"{names} did not come to {meeting.address} within {meeting.patience:.0f} s (wire.patience)."
            raise MeetingError(missing[0], said or late)
        if time.monotonic() > self._tells:
            print(f"{meeting.party} waits at {meeting.address} for {names}", flush=True)
            self._tells = self._ends + 1
