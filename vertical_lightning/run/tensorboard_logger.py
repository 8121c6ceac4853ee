"""TensorBoard's logger for runs that are looked at, and stopped, while they are under way."""

from __future__ import annotations

import queue
import time
from types import SimpleNamespace
from typing import Any

from pytorch_lightning.loggers import TensorBoardLogger
from tensorboard.summary.writer import event_file_writer


class UnbrokenQueue:
    """What TensorBoard needs of a queue, without a lock that Ctrl-C could leave locked.

    Python's own takes its lock in a function of Python's: an interrupt in there leaves it locked for ever, and the writer and
    whoever closes it wait for ever. Counts may be one off after an interrupt, to the side on which nobody waits.
    """

    def __init__(self, maxsize: int = 0) -> None:
        self._items: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._given = self._done = 0

    def put(self, item: object) -> None:
        """Hand over; the count comes after."""
        self._items.put(item)
        self._given += 1

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        """Take the next, or raise `queue.Empty`."""
        return self._items.get(block, timeout)

    def task_done(self) -> None:
        """Say that one has been written."""
        self._done += 1

    def join(self) -> None:
        """Wait until all are written."""
        while self._done < self._given:
            time.sleep(0.001)


event_file_writer.queue = SimpleNamespace(Queue=UnbrokenQueue, Empty=queue.Empty)


class PromptTensorBoard(TensorBoardLogger):
    """Lightning's logger, whose writer never sleeps for long, and whose queue no Ctrl-C breaks.

    Args:
        save_dir: The run's folder.
        name: A folder in there; None for none.
        version: A folder in that; "" for none.
        default_hp_metric: Whether to write a metric of that name, which means nothing.
        flush_secs: Seconds after which the writer wakes, and curves are on disk.
    """

    def __init__(
        self,
        save_dir: str,
        name: str | None = None,
        version: str = "",
        default_hp_metric: bool = False,
        flush_secs: int = 10,
    ) -> None:
        super().__init__(save_dir, name, version, default_hp_metric=default_hp_metric, flush_secs=flush_secs)
