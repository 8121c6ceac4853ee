"""Aligns two or more parties: the label holder runs one private intersection with each of the others."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import torch
from tqdm import tqdm

from vertical_lightning.psi.engine import Engine
from vertical_lightning.psi.identifiers import canonical
from vertical_lightning.psi.pair import Pair
from vertical_lightning.psi.statement import leak_statement
from vertical_lightning.schema import Alignment

SOON = 2.0
"""Seconds that alignment may take without a progress bar."""


class Star:
    """The label holder in the middle, every other party at a point; the points never talk to each other.

    Every pair uses fresh keys in every run: reused keys would link runs and show who joined or left. The label holder
    alone intersects the pairs' results, and tells each party only which of its rows *all* parties hold. The common
    order is that of the canonical ids, which every party can sort by itself; so the result is the same on every run.

    Args:
        engine: The cryptography.

    Example:
        >>> from vertical_lightning.psi.openmined import OpenMined
        >>> ids = {"bank": ["bob", "ann", "eve"], "shop": ["eve", "bob"]}
        >>> alignment = Star(OpenMined()).align(ids, label_holder="bank")
        >>> {party: rows.tolist() for party, rows in alignment.positions.items()}
        {'bank': [0, 2], 'shop': [1, 0]}
    """

    def __init__(self, engine: Engine) -> None:
        """Keep the engine; every run draws its own keys."""
        self._engine = engine

    def align(self, ids: Mapping[str, Sequence[str]], label_holder: str) -> Alignment:
        """Return every party's row numbers of the common entities, in one entity order.

        Raises:
            ValueError: There is no such label holder, a party's ids cannot be used, or no entity is common to all.
            ProtocolError: A party did not follow the protocol.
        """
        started = time.perf_counter()
        if label_holder not in ids:
            raise ValueError(f"label_holder={label_holder!r} brings no ids; parties that do: {', '.join(ids) or 'none'}.")
        keys = {party: canonical(values, party) for party, values in ids.items()}
        own = keys[label_holder]
        partners = {party: theirs for party, theirs in keys.items() if party != label_holder}
        # Three times each pair raises the label holder's points to a power, once the partner's.
        total = sum(3 * len(own) + len(theirs) for theirs in partners.values())
        with tqdm(desc="Alignment", total=total, unit=" points", unit_scale=True, delay=SOON, leave=False) as bar:
            engine = self._engine.watched(bar.update)
            pairs = {party: Pair((label_holder, own), (party, theirs), engine, len(keys)) for party, theirs in partners.items()}
            matches = at_once({party: pair.match for party, pair in pairs.items()})
        common = sorted(set(range(len(own))).intersection(*matches.values()), key=own.__getitem__)
        rows = {party: len(theirs) for party, theirs in keys.items()}
        found = {party: len(matched) for party, matched in matches.items()}
        if not common:
            raise ValueError(_nothing_common(rows, label_holder, found))
        aligned = {party: common if party == label_holder else pairs[party].finish(common) for party in keys}
        return Alignment(
            positions={party: torch.tensor(positions, dtype=torch.int64) for party, positions in aligned.items()},
            rows=rows,
            bytes={direction: count for pair in pairs.values() for direction, count in pair.bytes.items()},
            seconds=time.perf_counter() - started,
            statement=leak_statement(rows, label_holder, found, len(common)),
        )


def at_once(calls: Mapping[str, Callable[[], list[int]]]) -> dict[str, list[int]]:
    """Call for all partners at the same time: while one waits for Python's lock, another computes."""
    with ThreadPoolExecutor(max(1, len(calls))) as pool:
        running = {party: pool.submit(call) for party, call in calls.items()}
        return {party: future.result() for party, future in running.items()}


def _nothing_common(rows: Mapping[str, int], label_holder: str, found: Mapping[str, int]) -> str:
    brought = ", ".join(f"{party} {count:,}" for party, count in rows.items())
    shared = ", ".join(f"{label_holder} and {party} {count:,}" for party, count in found.items())
    return (
        f"No entity is common to all parties. Ids brought: {brought}. Ids shared: {shared}. "
        "Check that the ids name the same thing at every party and are written alike: text is compared after "
        "stripping, case kept, and '007' is not 7."
    )
