"""TensorBoard's logger for runs that are looked at, and stopped, while they are under way."""

from __future__ import annotations

from pytorch_lightning.loggers import TensorBoardLogger


class PromptTensorBoard(TensorBoardLogger):
    """Lightning's logger, whose writer never sleeps for long.

    Ctrl-C at the moment in which the writer is given something may lose the call that wakes it up; closing it then lasts until
    it wakes by itself. With torch's two minutes, all other parties would wait as long.

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
