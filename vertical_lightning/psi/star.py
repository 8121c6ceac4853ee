"""Aligns two or more parties: the label holder runs one private intersection with each of the others."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from threading import Event
from typing import Any, TypeVar

import torch
from tqdm import tqdm

from vertical_lightning.psi.engine import Engine
from vertical_lightning.psi.identifiers import NORMALIZER, canonical
from vertical_lightning.psi.overlap_error import below_minimum, nothing_common, too_few
from vertical_lightning.psi.padding import pad
from vertical_lightning.psi.pair import Ids, Pair
from vertical_lightning.psi.protocol_error import ClosedError
from vertical_lightning.psi.result_cache import ResultCache
from vertical_lightning.psi.statement import leak_statement
from vertical_lightning.schema import Alignment, Id, check_party_name

SOON = 2.0
"""Seconds that alignment may take without a progress bar."""

Answer = TypeVar("Answer")


class Star:
    """The label holder in the middle, every other party at a point; the points never talk to each other.

    Every pair uses fresh keys in every run: reused keys would link runs and show who joined or left. The label holder
    alone intersects the pairs' results, and tells each party only which of its rows *all* parties hold. The common
    order is that of the canonical ids, which every party can sort by itself; so the result is the same on every run.

    Args:
        engine: The cryptography.
        bucket: Fill each party's list with dummies up to a multiple of it, so that others see only about how many ids it has.
        min_overlap: Let every pair count its common ids first, in a run that shows nothing but the number; stop before
            anything is aligned if there are fewer. Takes twice the time.
        cache: Keep the result for the next run on the same ids; see `ResultCache`.
        cache_folder: Where; None for `$VL_CACHE`, or else `~/.cache/vertical_lightning`.

    Example:
        >>> from vertical_lightning.psi.openmined import OpenMined
        >>> ids = {"bank": ["bob", "ann", "eve"], "shop": ["eve", "bob"]}
        >>> alignment = Star(OpenMined()).align(ids, label_holder="bank")
        >>> {party: rows.tolist() for party, rows in alignment.positions.items()}
        {'bank': [0, 2], 'shop': [1, 0]}
    """

    def __init__(
        self,
        engine: Engine,
        *,
        bucket: int | None = None,
        min_overlap: int | None = None,
        cache: bool = False,
        cache_folder: str | None = None,
    ) -> None:
        """Keep the engine; every run draws its own keys."""
        for name, number in {"bucket": bucket, "min_overlap": min_overlap}.items():
            if number is not None and (not isinstance(number, int) or isinstance(number, bool) or number < 1):
                raise ValueError(f"psi.{name}={number} is no number of ids; give an integer from 1, or null for none.")
        self._engine = engine
        self._bucket, self._min_overlap = bucket, min_overlap
        self._cache = ResultCache(cache_folder) if cache else None

    def align(self, ids: Mapping[str, Sequence[Id]], label_holder: str) -> Alignment:
        """Return every party's row numbers of the common entities, in one entity order.

        Raises:
            ValueError: There is no such label holder, a party's ids cannot be used, no entity is common to all, or fewer than
                `min_overlap`.
            ProtocolError: A party did not follow the protocol.
        """
        if label_holder not in ids:
            raise ValueError(f"label_holder={label_holder!r} brings no ids; parties that do: {', '.join(ids) or 'none'}.")
        for party in ids:
            check_party_name(party)
        keys = {party: canonical(values, party) for party, values in ids.items()}
        if self._cache is None:
            return self._run(keys, label_holder)
        how = ["star", label_holder, self._engine.name, NORMALIZER, self._bucket, self._min_overlap]
        return self._cache.get(how, keys, compute=lambda: self._run(keys, label_holder))

    def _run(self, keys: Mapping[str, list[bytes]], label_holder: str) -> Alignment:
        """Run the protocol."""
        started = time.perf_counter()
        rows = {party: len(own) for party, own in keys.items()}
        lists = {party: pad(own, self._bucket) for party, own in keys.items()}
        center = label_holder, lists.pop(label_holder)
        with ExitStack() as open_lines, self._bar(center, lists) as bar, stoppable(bar.update) as step:
            engine = self._engine.watched(step)
            counted = self._gate(center, lists, engine)
            pairs = {party: Pair(center, (party, own), engine, len(keys)) for party, own in lists.items()}
            matches = at_once({party: open_lines.enter_context(pair).match for party, pair in pairs.items()})
            common = sorted(set(range(rows[label_holder])).intersection(*matches.values()), key=center[1].__getitem__)
            found = {party: len(matched) for party, matched in matches.items()}
            if not common:
                raise ValueError(nothing_common(rows, label_holder, found, self._bucket))
            if len(common) < (self._min_overlap or 0):
                raise ValueError(too_few(self._min_overlap, label_holder, found, len(common)))
            aligned = {party: common if party == label_holder else pairs[party].finish(common) for party in keys}
            crossed = [link for pair in pairs.values() for link in pair.bytes.items()]
        return Alignment(
            positions={party: torch.tensor(positions, dtype=torch.int64) for party, positions in aligned.items()},
            rows=rows,
            bytes={link: count + counted.get(link, 0) for link, count in crossed},
            seconds=time.perf_counter() - started,
            statement=leak_statement(
                rows, label_holder, found, len(common), bucket=self._bucket, min_overlap=self._min_overlap
            ),
        )

    def _gate(self, center: Ids, lists: Mapping[str, list[bytes]], engine: Engine) -> dict[str, int]:
        """Let every pair count, if there is a minimum, and stop below it; return the bytes that crossed."""
        if self._min_overlap is None:
            return {}
        crossed: dict[str, int] = {}
        with ExitStack() as open_lines:
            pairs = {party: Pair(center, (party, own), engine, len(lists) + 1, "count") for party, own in lists.items()}
            counts = at_once({party: open_lines.enter_context(pair).count for party, pair in pairs.items()})
            for pair in pairs.values():
                crossed |= pair.bytes
        for party, count in counts.items():
            if count < self._min_overlap:
                raise ValueError(below_minimum(self._min_overlap, f"{center[0]} and {party}", count))
        return crossed

    def _bar(self, center: Ids, lists: Mapping[str, list[bytes]]) -> tqdm[Any]:
        """Count points: three times each pair raises the label holder's to a power, once the partner's."""
        total = sum(3 * len(center[1]) + len(own) for own in lists.values()) * (1 if self._min_overlap is None else 2)
        return tqdm(desc="Alignment", total=total, unit=" points", unit_scale=True, delay=SOON, leave=False)


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


@contextmanager
def stoppable(step: Callable[[int], object]) -> Iterator[Callable[[int], object]]:
    """Return `step`, which raises once the block has been left: threads that still work on a broken run end there."""
    left = Event()

    def checked(points: int) -> object:
        if left.is_set():
            raise ClosedError("The run was broken off.")
        return step(points)

    try:
        yield checked
    finally:
        left.set()
