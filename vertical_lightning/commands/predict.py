"""The command `vl-predict`: a finished run's network, on the rows of a split; the label holder gets the predictions."""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path

import hydra
from omegaconf import DictConfig, OmegaConf

from vertical_lightning.config.best import best_of
from vertical_lightning.config.compose import (
    allow_party_overrides,
    config_folder,
    hide_cuda,
    import_from_here,
    or_leave,
    user_errors,
)
from vertical_lightning.config.finished_run import after_the_runs
from vertical_lightning.config.trusted_targets import check_targets
from vertical_lightning.run.atomic_folder import check_writable
from vertical_lightning.run.predict import predict_party
from vertical_lightning.split.checkpoint_names import BEST

NEW_FILE = r"\+*data\.parties\.\w+\.path="
"""Who names other files than the run's wants all of their rows, unless a split is named."""

SPLITS = ("train", "val", "test", "all")


def main() -> None:
    """Begin with what the run was told, then this command line."""
    import_from_here()
    words = sys.argv[1:]
    whole = ["split=all"] if any(re.match(NEW_FILE, word) for word in words) else []
    with or_leave():
        sys.argv[1:] = allow_party_overrides([*after_the_runs([*whole, *words], "run"), "sweep.mode=null"])
    predict()


@hydra.main(version_base="1.3", config_path=config_folder(), config_name="predict")
def predict(config: DictConfig) -> None:
    """Predict with all parties here, in processes started here, or as one of them."""
    with user_errors():
        hide_cuda(config)
        check(config)
        check_targets(config, config.trust)
        config.ckpt_path, config.out = str(weights_of(config)), str(Path(config.out).absolute())
        with tempfile.TemporaryDirectory() as folder:
            config.folder = folder
            if config.name is not None:
                predict_party(config, config.name, config.rendezvous)
            elif config.execution:
                from vertical_lightning.config.one_party import configuration_of, parties
                from vertical_lightning.distributed.spawn import spawn

                own = {name: configuration_of(config, name) for name in parties(config)}
                spawn(own, predict_party, config.rendezvous)
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
    from vertical_lightning.split.checkpoint_places import parts_of

    best = Path(config.run, BEST)
    return best if best_of(config) is not None and parts_of(best) else Path(config.run)


if __name__ == "__main__":
    main()
