"""A clock of the seconds in which this process could work: time in which it was held up does not count against a peer."""

from __future__ import annotations

import time
from functools import cache
from threading import Thread

STEP = 0.1
"""Seconds between two looks at the clock."""


class Awake:
    """A clock that stands still while this process does: frozen, without a processor, or with a thread that lets no other in.

    Attributes:
        seconds: Since the clock was made, to a step; a step that took longer than two counts as two.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        Thread(target=self._count, name="awake", daemon=True).start()

    def _count(self) -> None:
        last = time.monotonic()
        while True:
            time.sleep(STEP)
            now = time.monotonic()
            self.seconds += min(now - last, 2 * STEP)
            last = now


@cache
def clock() -> Awake:
    """Return the clock of this process."""
    return Awake()
