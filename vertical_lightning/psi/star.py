"""Aligns two or more parties: the label holder runs one private intersection with each of the others."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import Event
from typing import Any

import torch
from tqdm import tqdm

from vertical_lightning.psi.channel import Channel
from vertical_lightning.psi.engine import Engine
from vertical_lightning.psi.frames import Line
from vertical_lightning.psi.handshake import Purpose
from vertical_lightning.psi.identifiers import NORMALIZER, canonical
from vertical_lightning.psi.local_client import Ids, LocalClient
from vertical_lightning.psi.multiparty import Intersection, intersect
from vertical_lightning.psi.padding import pad
from vertical_lightning.psi.protocol import learn, respond
from vertical_lightning.psi.protocol_error import ClosedError, aligning_with
from vertical_lightning.psi.remote_client import RemoteClient
from vertical_lightning.psi.result_cache import ResultCache
from vertical_lightning.psi.server import Server
from vertical_lightning.psi.statement import leak_statement, partner_statement
from vertical_lightning.schema import Alignment, Id, check_party_name

SOON = 2.0
"""Seconds that alignment may take without a progress bar."""

PURPOSES: tuple[Purpose, ...] = ("count", "align")
"""The conversations of a pair that counts first, in order."""


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
        max_ids: Ids that a party in another process may bring: its word alone makes this one keep room, 35 bytes an id.
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
        max_ids: int = 4_000_000,
        cache: bool = False,
        cache_folder: str | None = None,
    ) -> None:
        """Keep the engine; every run draws its own keys."""
        for name, number in {"bucket": bucket, "min_overlap": min_overlap, "max_ids": max_ids}.items():
            if number is not None and (not isinstance(number, int) or isinstance(number, bool) or number < 1):
                raise ValueError(f"psi.{name}={number} is no number of ids; give an integer from 1, or null for none.")
        self._engine = engine
        self._bucket, self._min_overlap, self._max_ids = bucket, min_overlap, max_ids
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

    def align_here(
        self, party: str, ids: Sequence[Id], label_holder: str, channels: Mapping[str, Channel], parties: int
    ) -> Alignment:
        """Align as one party whose partners are in other processes; nothing is cached, and it ends with its own rows only.

        Args:
            party: The party that is here.
            ids: Its ids.
            label_holder: The party in the middle.
            channels: At the label holder, the way to every other party; at the others, to the label holder.
            parties: How many bring ids.

        Raises:
            ValueError: The ids cannot be used, no entity is common to all, or fewer than `min_overlap`.
            ProtocolError: A party did not follow the protocol.
        """
        keys, started = canonical(ids, party), time.perf_counter()
        own = party, pad(keys, self._bucket)
        with self._bar(None) as bar, stoppable(bar.update) as step:
            engine = self._engine.watched(step)
            if party != label_holder:
                return self._answer(own, len(keys), label_holder, channels[label_holder], engine, parties, started)

            def begin(partner: str, purpose: Purpose) -> RemoteClient:
                return RemoteClient(own, partner, channels[partner], engine, parties, purpose, self._max_ids)

            intersection = intersect(label_holder, keys, list(channels), begin, self._bucket, self._min_overlap)
        rows = {label_holder: len(keys), **intersection.announced}
        return self._alignment({label_holder: intersection.common}, rows, label_holder, intersection, started)

    def _run(self, keys: Mapping[str, list[bytes]], label_holder: str) -> Alignment:
        """Run the protocol among parties that are all here."""
        started = time.perf_counter()
        lists = {party: pad(own, self._bucket) for party, own in keys.items()}
        center = label_holder, lists.pop(label_holder)
        with self._bar(self._points(center, lists)) as bar, stoppable(bar.update) as step:
            engine = self._engine.watched(step)

            def begin(party: str, purpose: Purpose) -> LocalClient:
                return LocalClient(center, (party, lists[party]), engine, len(keys), purpose)

            intersection = intersect(label_holder, keys[label_holder], list(lists), begin, self._bucket, self._min_overlap)
        aligned = {party: intersection.common if party == label_holder else intersection.partners[party] for party in keys}
        return self._alignment(aligned, {party: len(own) for party, own in keys.items()}, label_holder, intersection, started)

    def _alignment(
        self,
        aligned: Mapping[str, Sequence[int]],
        rows: Mapping[str, int],
        label_holder: str,
        found: Intersection,
        started: float,
    ) -> Alignment:
        """Say what was found."""
        settings = {"bucket": self._bucket, "min_overlap": self._min_overlap}
        return Alignment(
            positions={party: torch.tensor(positions, dtype=torch.int64) for party, positions in aligned.items()},
            rows=rows,
            bytes=found.bytes,
            seconds=time.perf_counter() - started,
            statement=leak_statement(rows, label_holder, found.found, len(found.common), **settings),
        )

    def _answer(
        self, own: Ids, rows: int, label_holder: str, channel: Channel, engine: Engine, parties: int, started: float
    ) -> Alignment:
        """Run the partner's part."""
        party, keys = own
        lines: list[Line] = []
        for purpose in PURPOSES if self._min_overlap is not None else PURPOSES[1:]:
            lines.append(line := Line(channel))
            server = Server(keys, engine, parties, purpose, self._max_ids)
            with aligning_with(label_holder):
                respond(server, line)
        with aligning_with(label_holder):
            aligned = learn(server, lines[-1])
        return Alignment(
            positions={party: torch.tensor(aligned, dtype=torch.int64)},
            rows={party: rows},
            bytes={
                f"{party}->{label_holder}": sum(line.sent for line in lines),
                f"{label_holder}->{party}": sum(line.received for line in lines),
            },
            seconds=time.perf_counter() - started,
            statement=partner_statement(party, rows, label_holder, server.announced, len(aligned), parties),
        )

    def _points(self, center: Ids, lists: Mapping[str, list[bytes]]) -> int:
        """Count points: three times each pair raises the label holder's to a power, once the partner's."""
        return sum(3 * len(center[1]) + len(own) for own in lists.values()) * (1 if self._min_overlap is None else 2)

    def _bar(self, total: int | None) -> tqdm[Any]:
        return tqdm(desc="Alignment", total=total, unit=" points", unit_scale=True, delay=SOON, leave=False)


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
