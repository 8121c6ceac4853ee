"""The curves that belong together, on one page."""

from __future__ import annotations

from collections.abc import Sequence

import pytorch_lightning as pl

from vertical_lightning.split.loggers import tensorboards
from vertical_lightning.split.split_module import SplitModule


class Charts(pl.Callback):
    """Lays out TensorBoard's page Custom Scalars: training beside validation, bytes per link, gradient norm per party.

    Training and validation are what the callback `epochs` writes.
    """

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write the layout."""
        assert isinstance(pl_module, SplitModule)
        for logger in tensorboards(trainer):
            logger.experiment.add_custom_scalars(layout(pl_module.task.scores))


def layout(scores: Sequence[str]) -> dict[str, dict[str, list[object]]]:
    """Return the charts by heading, each with regular expressions of its tags.

    >>> layout(["accuracy"])["Learning"]["loss"]
    ['Multiline', ['^epoch/loss$']]
    """
    return {
        "Learning": {score: chart(f"epoch/{score}") for score in ("loss", *scores)},
        "Wire": {"bytes per link": chart(r"wire/bytes/.+")},
        "Parties": {"gradient norm per party": chart(r"gradient_norm/.+")},
    }


def chart(*tags: str) -> list[object]:
    """Return a chart of the tags that match a whole expression: TensorBoard would take wire/bytes/… for wire/bytes."""
    return ["Multiline", [f"^{tag}$" for tag in tags]]
