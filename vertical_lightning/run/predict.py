"""A finished run's network, on the rows of a split; the label holder gets the predictions."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from vertical_lightning.config.compose import Configuration
from vertical_lightning.config.finished_run import quiet

if TYPE_CHECKING:
    import pandas as pd
    from torch import Tensor

    from vertical_lightning.data.datamodule import VerticalDataModule


def predict_party(config: Configuration, name: str | None = None, rendezvous: str = "", compared: object = None) -> None:
    """Predict, as one party or as all; the label holder writes the file."""
    import torch

    from vertical_lightning.data.preparations import Scored
    from vertical_lightning.run.build import experiment
    from vertical_lightning.run.party import begin_party
    from vertical_lightning.split.checkpoints import PartyCheckpoints, data_of
    from vertical_lightning.split.outputs import Outputs

    begin_party()
    warnings.filterwarnings("ignore", message=".*callbacks used to create the checkpoint.*")  # a prediction wants none
    saved = data_of(PartyCheckpoints(None if name is None else [name]).load_checkpoint(config.ckpt_path))
    with experiment(quiet(config), name, rendezvous, Scored(saved["prepared"], config.split)) as run:
        outputs = Outputs()
        run.trainer.callbacks.append(outputs)  # type: ignore[attr-defined]
        # Not trainer.predict, which would rebuild the loader as if it had batches of its own.
        run.trainer.test(run.module, datamodule=run.data, ckpt_path=run.ckpt_path, verbose=False)
        if name in (None, run.data.label_holder):
            table(run.data, config.split, torch.cat(outputs.logits)).to_csv(config.out, index=False)
            print(strangers(run.data, config.split), flush=True)


def table(data: VerticalDataModule, split: str, logits: Tensor) -> pd.DataFrame:
    """Put the label holder's ids beside what is predicted: a class with all probabilities, or a number."""
    import pandas as pd

    from vertical_lightning.split.multilabel import Multilabel
    from vertical_lightning.split.regression import Regression

    name = split if split in data.tables else next(iter(data.tables))
    ids = data.tables[name][data.label_holder].ids
    rows = data.alignments[name].positions[data.label_holder][data.splits[split].rows]
    rows_table, own = pd.DataFrame({"id": [ids[row] for row in rows.tolist()]}), data.preparations.of[data.label_holder]
    if isinstance(own.task, Regression):
        return rows_table.assign(predicted=(own.task.mean + own.task.spread * logits.squeeze(1).double()).tolist())
    if isinstance(own.task, Multilabel):
        chances = logits.double().sigmoid()
        for number, label in enumerate(own.classes):
            rows_table[f"predicted_{label}"] = (chances[:, number] > 0.5).int().tolist()
        return rows_table.assign(
            **{f"probability_{label}": chances[:, number].tolist() for number, label in enumerate(own.classes)}
        )
    chances = logits.double().softmax(dim=1)
    rows_table["predicted"] = [own.classes[number] for number in chances.argmax(dim=1).tolist()]
    return rows_table.assign(
        **{f"probability_{label}": chances[:, number].tolist() for number, label in enumerate(own.classes)}
    )


def strangers(data: VerticalDataModule, split: str) -> str:
    """Say how many of the predicted rows are of ids that the run was not trained on; the label holder knows its own."""
    name = split if split in data.tables else next(iter(data.tables))
    trained, ids = data.preparations.of[data.label_holder].trained, data.common_ids(name, data.splits[split].rows)
    new = len(ids) if trained is None else trained.new(ids)
    return f"{len(ids):,} rows predicted; {new:,} of their ids are not among those that the run was trained on."
