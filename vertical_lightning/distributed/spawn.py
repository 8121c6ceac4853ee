"""Starts a process for every party on this machine, and makes sure that none outlives the run."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from multiprocessing import get_context
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

from vertical_lightning.config.stopping import NOTHING_SAVED, STATUS
from vertical_lightning.distributed.worker import worker
from vertical_lightning.split.checkpoint_places import moment_of

GRACE = 5.0
"""Seconds beyond `execution.timeout` in which the other parties may notice that one is gone, and say so."""


def spawn(
    configs: Mapping[str, Any],
    work: Callable[..., object],
    rendezvous: str | None = None,
    compared: Mapping[str, str | float] | None = None,
) -> None:
    """Run every party in a process of its own.

    Args:
        configs: By party, what it is told: its `folder`, and `execution.timeout`.
        work: What each does with its configuration, its name, the rendezvous and what is compared.
        rendezvous: Where they meet; None for a free port of this machine.
        compared: The hyper-parameters that TensorBoard compares runs by.

    Raises:
        ConnectionError: A party has failed or was killed; says which, and how to go on.
    """
    context = get_context("forkserver")  # one import for all; a fork of this process could carry its threads' locks
    context.set_forkserver_preload(["vertical_lightning.run.build", "vertical_lightning.run.processes"])
    rendezvous = rendezvous or f"127.0.0.1:{free_port()}"
    width = max(map(len, configs))
    folders = [Path(config.folder) for config in configs.values()]
    grace = float(next(iter(configs.values())).execution.timeout) + GRACE
    started = {}
    for name, config in configs.items():
        facts = (work, config, name, rendezvous, compared, os.getcwd(), width)
        started[name] = context.Process(target=worker, args=facts, name=name)
    for process in started.values():
        process.start()
    who = ", ".join(f"{name} in process {process.pid}" for name, process in started.items())
    print(f"{who}; they meet at {rendezvous}\n", flush=True)
    try:
        ended = wait_for(started, grace)
    except KeyboardInterrupt as error:
        for process in started.values():
            process.terminate()  # each tells the others, and is done with its files
        wait_for(started, grace)
        error.add_note(how_to_go_on(folders))
        raise
    finally:
        stop(list(started.values()))
    if any(code != 0 for code in ended.values()):
        raise ConnectionError(what_happened(ended, folders))


def wait_for(started: Mapping[str, Any], grace: float) -> dict[str, int | None]:
    """Wait until all have ended, or `grace` seconds after the first; return exit codes, None for a process that still runs.

    Parties say goodbye to each other before they end, so none ends long before another.
    """
    first: float | None = None
    while any(process.is_alive() for process in started.values()):
        wait([process.sentinel for process in started.values() if process.is_alive()], timeout=1.0)
        if first is None and not all(process.is_alive() for process in started.values()):
            first = time.monotonic()
        if first is not None and time.monotonic() - first > grace:
            break
    return {name: process.exitcode for name, process in started.items()}


def stop(processes: Sequence[Any]) -> None:
    """End the processes that still run."""
    for process in processes:
        if process.is_alive():
            process.kill()
    for process in processes:
        process.join()


def what_happened(ended: Mapping[str, int | None], folders: Sequence[Path]) -> str:
    """Return a sentence: which party was killed, failed or hangs, and how to go on."""
    frozen = [f"{name} does not answer" for name, code in ended.items() if code is None]
    killed = [f"{name} was killed (signal {-code})" for name, code in ended.items() if code is not None and code < 0]
    by_signal = {code: name for name, code in STATUS.items()}
    failed = [
        f"{name} has stopped{f' ({by_signal[code]})' if code in by_signal else ''}"
        for name, code in ended.items()
        if code and code > 0
    ]
    return f"the run has broken off: {', '.join(frozen + killed + failed)}. {how_to_go_on(folders)}"


def how_to_go_on(folders: Sequence[Path]) -> str:
    """Name the newest checkpoint that all parties have."""
    saved = [{path.parent.name: path for path in folder.glob("checkpoints/*.ckpt/*.ckpt")} for folder in folders]
    common = set.intersection(*map(set, saved)) - {"last.ckpt", "best.ckpt"}  # one may have saved a step that another has not
    steps = {name: moment_of(saved[0][name]).step for name in common}
    newest = max(steps, key=steps.__getitem__, default=None)
    return f"To go on: the same command with ckpt_path={folders[0].parent / newest}." if newest else NOTHING_SAVED


def free_port() -> int:
    """Return a free port of this machine."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
