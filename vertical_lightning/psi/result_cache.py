"""Results of alignments, kept on disk for the next run on the same ids: a sweep pays for private set intersection once.

Only what a party ends with is kept: its own row numbers and the leak statement. Keys and messages are not: a key that is
used twice links two runs.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import logging
import os
import secrets
import struct
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import torch

from vertical_lightning.psi.identifiers import keyed_digest
from vertical_lightning.schema import Alignment

FORMAT = 1
"""Raise it with every change of the files."""

SECRET = 32
"""Bytes of a party's secret."""

_MAC = hashlib.sha256().digest_size
_log = logging.getLogger(__name__)


class ResultCache:
    """One file a party and alignment, named by what the alignment depends on.

    A name is the hash of how ids are compared and of one tag a party: a keyed hash of the party's ids, in order, under a
    secret that stays with the party. So a name tells nobody anything, and other ids, or the same in another order, have
    another name. Each file carries a keyed hash of its content under its party's secret: a file that was damaged, or
    comes from elsewhere, is computed again. Of several processes that want one result at once, one computes and the
    others wait. Files and folders are readable by their owner only.

    Args:
        folder: Where; None for `$VL_CACHE`, or else `~/.cache/vertical_lightning`.
    """

    def __init__(self, folder: str | None = None) -> None:
        """Choose the folder; nothing is written yet."""
        chosen = folder or os.environ.get("VL_CACHE") or "~/.cache/vertical_lightning"
        self.folder = Path(chosen).expanduser() / "alignments"

    def get(self, how: Sequence[object], keys: Mapping[str, Sequence[bytes]], compute: Callable[[], Alignment]) -> Alignment:
        """Return the kept result, or compute and keep it.

        Args:
            how: All that the result depends on beside the ids: engine, rules for ids, who is in the middle.
            keys: Each party's canonical ids, in row order.
            compute: Runs the protocol.
        """
        started = time.perf_counter()
        with ExitStack() as held:
            try:
                owned = {party: self._secret(party) for party in keys}
                name = _name(how, {party: keyed_digest(owned[party], ids) for party, ids in keys.items()})
                held.enter_context(self._locked(name))
                kept = self._read(name, owned, {party: len(ids) for party, ids in keys.items()})
            except OSError as error:
                _log.warning("psi.cache: %s cannot be used (%s); aligning without it.", self.folder, error.strerror)
                return compute()
            if kept:
                return replace(kept, cached=True, seconds=time.perf_counter() - started)
            result = compute()
            try:
                for party, secret in owned.items():
                    self._write(self.folder / name / party, pack(result, party), secret, name)
            except OSError as error:
                _log.warning("psi.cache: the result cannot be kept in %s (%s).", self.folder, error.strerror)
            return result

    def _secret(self, party: str) -> bytes:
        """Return the party's secret; the first process that asks makes it."""
        _private(self.folder)
        path = _private(self.folder / "secrets") / party
        if path.exists() and path.stat().st_size != SECRET:
            path.unlink()  # a crash can leave an empty one
        if not path.exists():
            with tempfile.NamedTemporaryFile(dir=path.parent) as drawn:  # mode 0600
                drawn.write(secrets.token_bytes(SECRET))
                drawn.flush()
                os.fsync(drawn.fileno())
                with suppress(FileExistsError):
                    os.link(drawn.name, path)  # whole or not at all, and never over another's
        return path.read_bytes()

    @contextmanager
    def _locked(self, name: str) -> Iterator[None]:
        """Hold one result for this process; the system lets go when the process ends, however it ends."""
        path = _private(self.folder / name) / ".lock"
        with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "rb") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                _log.info("Another process aligns the same ids; waiting for its result.")
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _read(self, name: str, owned: Mapping[str, bytes], rows: Mapping[str, int]) -> Alignment | None:
        """Put the parties' files together; None if one is missing, damaged or foreign."""
        positions: dict[str, torch.Tensor] = {}
        about: dict[str, object] = {}
        for party, secret in owned.items():
            path = self.folder / name / party
            if not path.exists():
                return None
            content = path.read_bytes()
            if not hmac.compare_digest(content[:_MAC], _mac(secret, name, content[_MAC:])):
                _log.warning("psi.cache: %s is damaged or from elsewhere; aligning again.", path)
                return None
            about, positions[party] = unpack(content[_MAC:])
        return Alignment(positions=positions, rows=dict(rows), seconds=0.0, **about)  # type: ignore[arg-type]

    def _write(self, path: Path, content: bytes, secret: bytes, name: str) -> None:
        """Write a file completely or not at all."""
        with tempfile.NamedTemporaryFile(dir=path.parent) as part:  # mode 0600
            part.write(_mac(secret, name, content) + content)
            part.flush()
            os.fsync(part.fileno())
            path.unlink(missing_ok=True)  # a damaged one
            os.link(part.name, path)


def pack(result: Alignment, party: str) -> bytes:
    """Write one party's row numbers, and the run's bytes and statement."""
    about = json.dumps({"bytes": dict(result.bytes), "statement": result.statement}).encode()
    return len(about).to_bytes(8, "big") + about + struct.pack(f"<{len(result)}q", *result.positions[party].tolist())


def unpack(content: bytes) -> tuple[dict[str, object], torch.Tensor]:
    """Read what `pack` wrote."""
    size = int.from_bytes(content[:8], "big")
    positions = content[8 + size :]
    return json.loads(content[8 : 8 + size]), torch.tensor(struct.unpack(f"<{len(positions) // 8}q", positions))


def _name(how: Sequence[object], tags: Mapping[str, bytes]) -> str:
    """Name the result that depends on these."""
    shown = {party: tag.hex() for party, tag in tags.items()}
    return hashlib.sha256(json.dumps([FORMAT, *how, shown], sort_keys=True).encode()).hexdigest()


def _private(folder: Path) -> Path:
    """Make a folder for the owner's eyes only."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)  # it may have been there
    return folder


def _mac(secret: bytes, name: str, content: bytes) -> bytes:
    return hmac.new(secret, name.encode() + content, hashlib.sha256).digest()
