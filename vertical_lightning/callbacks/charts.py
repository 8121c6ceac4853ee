"""The curves that belong together, on one page."""

from __future__ import annotations

import pytorch_lightning as pl

from vertical_lightning.data.datamodule import VerticalDataModule
from vertical_lightning.tensorboards import tensorboards


class Charts(pl.Callback):
    """Lays out TensorBoard's page Custom Scalars: training beside validation, bytes per link, gradient norm per party."""

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write the layout."""
        data = getattr(trainer, "datamodule", None)
        two_classes = isinstance(data, VerticalDataModule) and len(data.classes) == 2
        for logger in tensorboards(trainer):
            logger.experiment.add_custom_scalars(layout(two_classes))


def layout(two_classes: bool) -> dict[str, dict[str, list[object]]]:
    """Return the charts by heading, each with regular expressions of its tags.

    >>> layout(two_classes=False)["Learning"]["loss"]
    ['Multiline', ['^train/loss$', '^val/loss$']]
    """
    scores = ["loss", "accuracy", *(["auroc"] if two_classes else [])]
    return {
        "Learning": {score: chart(rf"train/{score}", rf"val/{score}") for score in scores},
        "Wire": {"bytes per link": chart(r"wire/bytes/.+")},
        "Parties": {"gradient norm per party": chart(r"gradient_norm/.+")},
    }


def chart(*tags: str) -> list[object]:
    """Return a chart of the tags that match a whole expression: TensorBoard would take train/loss_step for train/loss."""
    return ["Multiline", [f"^{tag}$" for tag in tags]]
