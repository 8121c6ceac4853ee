"""The command `vl-predict`: a finished run's network, on the rows of a split; the label holder gets the predictions."""

from __future__ import annotations

import re
import sys
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import hydra
from omegaconf import DictConfig, OmegaConf

from vertical_lightning.best import BEST, best_of
from vertical_lightning.configuration import config_folder, open_parties, or_leave, sentences, spare_driver
from vertical_lightning.finished_run import after_the_runs
from vertical_lightning.new_folder import check_writable
from vertical_lightning.trusted_targets import check_targets

if TYPE_CHECKING:
    import pandas as pd
    from torch import Tensor

    from vertical_lightning.data.datamodule import VerticalDataModule

NEW_FILE = r"\+*data\.parties\.\w+\.path="
"""Who names other files than the run's wants all of their rows, unless a split is named."""

SPLITS = ("train", "val", "test", "all")


def main() -> None:
    """Begin with what the run was told, then this command line."""
    words = sys.argv[1:]
    whole = ["split=all"] if any(re.match(NEW_FILE, word) for word in words) else []
    with or_leave():
        sys.argv[1:] = open_parties([*after_the_runs([*whole, *words], "run"), "sweep.mode=null"])
    predict()


@hydra.main(version_base="1.3", config_path=config_folder(), config_name="predict")
def predict(config: DictConfig) -> None:
    """Predict with all parties here, in processes started here, or as one of them."""
    with sentences():
        spare_driver(config)
        check(config)
        check_targets(config, config.trust)
        config.ckpt_path, config.out = str(weights_of(config)), str(Path(config.out).absolute())
        with tempfile.TemporaryDirectory() as folder:
            config.folder = folder
            if config.name is not None:
                predict_party(config, config.name, config.rendezvous)
            elif config.parties._target_ == "vertical_lightning.processes.run":
                from vertical_lightning.parties.apart import apart
                from vertical_lightning.processes import configuration_of, parties

                own = {name: configuration_of(config, name) for name in parties(config)}
                apart(own, predict_party, config.parties.rendezvous)
            else:
                predict_party(config)
        if config.name in (None, config.label_holder):
            print(f"{config.label_holder} has the predictions: {config.out}", flush=True)


def check(config: DictConfig) -> None:
    """Refuse what cannot be meant, before anything takes time."""
    if OmegaConf.is_missing(config, "run") or not Path(config.run).is_dir():
        given = "is missing" if OmegaConf.is_missing(config, "run") else f"= {config.run} is no folder"
        raise ValueError(f"run {given}: give the folder of a finished run, such as run=logs/runs/DATE_TIME.")
    if config.split not in SPLITS:
        raise ValueError(f"split={config.split} is none of {', '.join(SPLITS)}.")
    if config.name in (None, config.label_holder) and Path(config.out).exists():
        raise ValueError(f"out={config.out} exists; nothing is overwritten. Choose another file, or remove it.")
    if config.name in (None, config.label_holder):
        check_writable(Path(config.out).absolute().parent)


def weights_of(config: DictConfig) -> Path:
    """Say which checkpoint of the run to predict with: the one that it was tested with, so that its numbers are met."""
    from vertical_lightning.checkpoints import parts_of

    best = Path(config.run, BEST)
    return best if best_of(config) is not None and parts_of(best) else Path(config.run)


def predict_party(config: DictConfig, name: str | None = None, rendezvous: str = "", compared: object = None) -> None:
    """Predict, as one party or as all; the label holder writes the file."""
    import torch

    from vertical_lightning.assembly import assembled
    from vertical_lightning.checkpoints import PartyCheckpoints, data_of
    from vertical_lightning.outputs import Outputs
    from vertical_lightning.party import begin_party

    begin_party()
    warnings.filterwarnings("ignore", message=".*callbacks used to create the checkpoint.*")  # a prediction wants none
    OmegaConf.set_struct(config, False)
    bar = {name: one for name, one in (config.get("callbacks") or {}).items() if name == "progress_bar"}
    for limit, value in (("limit_test_batches", None), ("fast_dev_run", False), ("overfit_batches", 0)):
        config.trainer[limit] = value  # the run's own may have been fewer rows than the split has
    config.callbacks, config.logger, config.trainer.enable_progress_bar = bar, {}, bool(bar)
    saved = data_of(PartyCheckpoints(None if name is None else [name]).load_checkpoint(config.ckpt_path))

    def begin(data: VerticalDataModule) -> None:
        data.score(saved["prepared"], config.split)

    with assembled(config, name, rendezvous, begin) as (config, trainer, module, data):
        outputs = Outputs()
        trainer.callbacks.append(outputs)  # type: ignore[attr-defined]
        # Not trainer.predict, which would rebuild the loader as if it had batches of its own.
        trainer.test(module, datamodule=data, ckpt_path=config.ckpt_path, verbose=False)
        if name in (None, config.label_holder):
            table(data, config.split, torch.cat(outputs.logits)).to_csv(config.out, index=False)
            print(strangers(data, config.split), flush=True)


def table(data: VerticalDataModule, split: str, logits: Tensor) -> pd.DataFrame:
    """Put the label holder's ids beside what is predicted: a class with all probabilities, or a number."""
    import pandas as pd

    from vertical_lightning.task import Regression

    name = split if split in data.tables else next(iter(data.tables))
    ids = data.tables[name][data.label_holder].ids
    rows = data.alignments[name].positions[data.label_holder][data.splits[split].rows]
    found, own = pd.DataFrame({"id": [ids[row] for row in rows.tolist()]}), data.preparations.of[data.label_holder]
    if isinstance(own.task, Regression):
        return found.assign(predicted=(own.task.mean + own.task.spread * logits.squeeze(1).double()).tolist())
    chances = logits.double().softmax(dim=1)
    found["predicted"] = [own.classes[number] for number in chances.argmax(dim=1).tolist()]
    return found.assign(**{f"probability_{one}": chances[:, number].tolist() for number, one in enumerate(own.classes)})


def strangers(data: VerticalDataModule, split: str) -> str:
    """Say how many of the predicted rows are of ids that the run was not trained on; the label holder knows its own."""
    name = split if split in data.tables else next(iter(data.tables))
    trained, ids = data.preparations.of[data.label_holder].trained, data.common_ids(name, data.splits[split].rows)
    new = len(ids) if trained is None else trained.new(ids)
    return f"{len(ids):,} rows predicted; {new:,} of their ids are not among those that the run was trained on."


if __name__ == "__main__":
    main()
