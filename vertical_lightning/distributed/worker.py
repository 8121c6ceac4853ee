"""The main function of a party's process that `spawn` has started."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from multiprocessing import parent_process
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

from tqdm import tqdm

from vertical_lightning.config.compose import import_from_here
from vertical_lightning.config.stopping import STATUS, listen, reason
from vertical_lightning.distributed.transport.failure import told


def worker(
    work: Callable[..., object],
    own: Any,
    name: str,
    rendezvous: str,
    compared: Mapping[str, str | float] | None,
    folder: str,
    width: int,
) -> None:
    """Run one party; if it fails, say why and exit with a status that says so."""
    os.chdir(folder)
    import_from_here()
    os.umask(0o077)  # weights, gradients and seeds are nobody else's on this machine either
    listen(signal.SIGTERM, signal.SIGINT)
    threading.Thread(target=end_with_parent, daemon=True).start()
    tqdm.set_lock(threading.RLock())  # its own one is the system's, and would be left behind
    logging.getLogger("pytorch_lightning.utilities.rank_zero").setLevel(logging.WARNING)
    Path(own.folder).mkdir(parents=True, exist_ok=True)
    with Path(own.folder, "output.txt").open("a") as log:
        sys.stdout = Prefixed(sys.stdout, log, f"{name:>{width}} │ ")
        try:
            work(own, name, rendezvous, compared)
        except BaseException as error:
            expected = isinstance(error, ValueError | OSError | FloatingPointError | SystemExit | KeyboardInterrupt)
            said = str(error) if isinstance(error, ValueError | OSError | FloatingPointError) else told(error, name)[1]
            print(f"{name} has stopped: {said}" if expected else traceback.format_exc(), flush=True)
            os._exit(STATUS.get(reason(error) or "", 1))  # whatever threads still wait for
        print(end="", flush=True)


class Prefixed:
    """A stream that puts the party's name before each line, and keeps the lines in the party's folder."""

    def __init__(self, stream: Any, log: Any, prefix: str) -> None:
        self._stream, self._log, self._prefix, self._rest = stream, log, prefix, ""

    def write(self, text: str) -> int:
        """Write the lines that are complete."""
        *lines, self._rest = (self._rest + text).split("\n")
        if lines:
            self._stream.write("".join(f"{self._prefix}{line}\n" for line in lines))
            self._log.write("".join(f"{line}\n" for line in lines))
            self._log.flush()
        return len(text)

    def flush(self) -> None:
        """Write all lines."""
        self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def end_with_parent() -> None:
    """End this process when its parent ends: nobody would be left to stop it."""
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
