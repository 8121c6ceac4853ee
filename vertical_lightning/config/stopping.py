"""SIGTERM ends a command as Ctrl-C does: at once, with the reason, how to go on, and a status that says so."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

STATUS = {"SIGTERM": 143, "Ctrl-C": 130}
"""What a shell calls a command that a signal has ended: 128 and the signal's number."""


NOTHING_SAVED = "No checkpoint has been written meanwhile; start again with the same command."


class Terminated(KeyboardInterrupt):
    """SIGTERM has come. A kind of Ctrl-C, because Lightning and all that cleans up after Ctrl-C is to do the same."""


def reason(error: BaseException | None) -> str | None:
    """Say which signal has ended a run; None if it was something else.

    >>> reason(Terminated()), reason(KeyboardInterrupt()), reason(ValueError())
    ('SIGTERM', 'Ctrl-C', None)
    """
    if isinstance(error, SystemExit) and not error.__suppress_context__:  # Lightning leaves so; it was an interrupt before
        error = error.__context__
    if isinstance(error, Terminated):
        return "SIGTERM"
    return "Ctrl-C" if isinstance(error, KeyboardInterrupt) else None


def listen(*signals: int) -> list[Any]:
    """Let the first of these signals interrupt the main thread, and none what then cleans up; return the handlers before."""
    heard: list[int] = []

    def interrupt(number: int, frame: FrameType | None) -> None:
        if not heard:
            heard.append(number)
            raise Terminated if number == signal.SIGTERM else KeyboardInterrupt

    return [signal.signal(number, interrupt) for number in signals]


@contextmanager
def stoppable(go_on: Callable[[], str] = str) -> Iterator[None]:
    """Obey SIGTERM; whichever signal ends the block, say so and how to go on, and leave with its status.

    Args:
        go_on: Says how; an error's notes, which know more, come first.
    """
    here = threading.current_thread() is threading.main_thread()
    before = listen(signal.SIGTERM) if here else []
    try:
        yield
    except (KeyboardInterrupt, SystemExit) as error:
        why = reason(error)
        if why is None:
            raise
        interrupt = error if isinstance(error, KeyboardInterrupt) else error.__context__
        how = " ".join(getattr(interrupt, "__notes__", [])) or go_on()
        print(f"stopped by {why}. {how}".strip(), file=sys.stderr, flush=True)
        raise SystemExit(STATUS[why]) from None
    finally:
        for handler in before:
            signal.signal(signal.SIGTERM, handler)
