"""A writer that sleeps through its last call still ends soon."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from job import configuration
from running import PATIENT

from vertical_lightning.configuration import build


def test_a_lost_wake_up_is_made_up_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As Ctrl-C leaves it: the writer sleeps, and nobody's call reaches it."""
    [logger] = build(configuration(tmp_path).logger).values()
    logger.log_metrics({"loss": 1.0}, 0)
    logger.save()
    queue = logger.experiment.file_writer.event_writer._async_writer._byte_queue
    monkeypatch.setattr(queue.not_empty, "notify", lambda: None)
    closing = threading.Thread(target=logger.finalize, args=("failed",), daemon=True)
    closing.start()
    closing.join(PATIENT / 2)
    assert not closing.is_alive()
