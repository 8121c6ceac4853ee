"""The label holder's part of an alignment: intersect with every partner at once, and tell each what all share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from typing import Protocol, TypeVar

from vertical_lightning.psi.handshake import Purpose
from vertical_lightning.psi.overlap_error import below_minimum, nothing_common, too_few

Answer = TypeVar("Answer")


class Partner(Protocol):
    """The label holder's conversation with one other party, in this process or in another."""

    @property
    def bytes(self) -> dict[str, int]:
        """Bytes sent so far per direction, keyed `"sender->receiver"`."""

    @property
    def announced(self) -> int:
        """How many ids the partner said that it brings; known after `count` or `match`."""

    def count(self) -> int:
        """Return how many of the label holder's ids the partner holds; neither learns which."""

    def match(self) -> list[int]:
        """Return the own rows that the partner holds; the partner learns nothing yet."""

    def finish(self, rows: Sequence[int]) -> list[int]:
        """Tell the partner which of its rows are common; return these if the partner is here."""


Open = Callable[[str, Purpose], AbstractContextManager[Partner]]
"""Begins a conversation with a partner."""


@dataclass(frozen=True)
class Intersection:
    """What the label holder knows in the end.

    Attributes:
        common: Its own rows that all parties hold, in the common order.
        partners: By partner, the partner's rows, if it is here.
        found: By partner, how many of the own ids it holds.
        announced: By partner, how many ids it said that it brings.
        bytes: That crossed, by direction.
    """

    common: list[int]
    partners: Mapping[str, list[int]]
    found: Mapping[str, int]
    announced: Mapping[str, int]
    bytes: Mapping[str, int]


def intersect(
    label_holder: str, keys: Sequence[bytes], partners: Sequence[str], begin: Open, bucket: int | None, minimum: int | None
) -> Intersection:
    """Find what all parties share.

    Args:
        label_holder: The party in the middle.
        keys: Its canonical ids.
        partners: All others.
        begin: Begins a conversation with one.
        bucket: Lists are filled up to a multiple of it.
        minimum: Fewest common ids to go on with.

    Raises:
        ValueError: No entity is common to all, or fewer than the minimum.
    """
    counted = gate(label_holder, partners, begin, minimum)
    with ExitStack() as conversations:
        open_ = {party: conversations.enter_context(begin(party, "align")) for party in partners}
        matches = at_once({party: partner.match for party, partner in open_.items()})
        found = {party: len(matched) for party, matched in matches.items()}
        announced = {party: partner.announced for party, partner in open_.items()}
        common = sorted(set(range(len(keys))).intersection(*matches.values()), key=keys.__getitem__)
        if not common:
            raise ValueError(nothing_common({label_holder: len(keys), **announced}, label_holder, found, bucket))
        if len(common) < (minimum or 0):
            raise ValueError(too_few(minimum, label_holder, found, len(common)))
        told = {party: partner.finish(common) for party, partner in open_.items()}
        crossed = [link for partner in open_.values() for link in partner.bytes.items()]
    return Intersection(common, told, found, announced, {link: count + counted.get(link, 0) for link, count in crossed})


def gate(label_holder: str, partners: Sequence[str], begin: Open, minimum: int | None) -> dict[str, int]:
    """Let every pair count, if there is a minimum, and stop below it; return the bytes that crossed."""
    if minimum is None:
        return {}
    crossed: dict[str, int] = {}
    with ExitStack() as conversations:
        open_ = {party: conversations.enter_context(begin(party, "count")) for party in partners}
        counts = at_once({party: partner.count for party, partner in open_.items()})
        for partner in open_.values():
            crossed |= partner.bytes
    for party, count in counts.items():
        if count < minimum:
            raise ValueError(below_minimum(minimum, f"{label_holder} and {party}", count))
    return crossed


def at_once(calls: Mapping[str, Callable[[], Answer]]) -> dict[str, Answer]:
    """Call for all partners at the same time: while one waits for Python's lock, another computes."""
    pool = ThreadPoolExecutor(max(1, len(calls)))
    try:
        running = {party: pool.submit(call) for party, call in calls.items()}
        wait(running.values(), return_when=FIRST_EXCEPTION)
        for future in running.values():
            if future.done():
                future.result()  # raises what went wrong, before anybody waits for the others
        return {party: future.result() for party, future in running.items()}
    finally:
        pool.shutdown(wait=False, cancel_futures=True)  # of one that failed, nobody waits for the others
