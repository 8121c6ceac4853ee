"""Ctrl-C at any moment leaves a writer that can be closed: the other parties wait for it."""

from __future__ import annotations

import random
import signal
import threading
from pathlib import Path
from types import FrameType

from job import configuration
from running import PATIENT

from vertical_lightning.config.compose import build


def interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def test_interrupts_at_any_moment_leave_a_writer_that_ends(tmp_path: Path) -> None:
    [logger] = build(configuration(tmp_path).logger).values()
    queue = logger.experiment.file_writer.event_writer._async_writer._byte_queue
    draw, before, stopped = random.Random(0), signal.signal(signal.SIGALRM, interrupt), 0
    try:
        for _ in range(100):
            try:
                signal.setitimer(signal.ITIMER_REAL, draw.uniform(1e-5, 3e-4))
                while True:
                    queue.put(b"event")
            except KeyboardInterrupt:
                stopped += 1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert stopped == 100
    closing = threading.Thread(target=logger.finalize, args=("failed",), daemon=True)
    closing.start()
    closing.join(PATIENT)
    assert not closing.is_alive()
