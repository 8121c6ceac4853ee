"""The command `vl-party`: one party of a run, here; the others run theirs."""

from __future__ import annotations

import os
import re
import shlex
import sys
from pathlib import Path

import hydra
from omegaconf import DictConfig, OmegaConf

from vertical_lightning.config import folder_name
from vertical_lightning.config.compose import (
    OF_A_PARTY,
    allow_party_overrides,
    config_folder,
    hide_cuda,
    import_from_here,
    or_leave,
    user_errors,
)
from vertical_lightning.config.finished_run import check_resumed, going_on
from vertical_lightning.config.stopping import stoppable
from vertical_lightning.run.party import run_party

folder_name.register()  # here, because Hydra reads the folder's name before anything runs


def main() -> None:
    """Run the command line."""
    import_from_here()
    os.umask(0o077)  # weights, gradients and seeds are nobody else's on this machine either
    with or_leave():
        sys.argv[1:] = allow_party_overrides(going_on(sys.argv[1:]))
    with stoppable():
        party()


@hydra.main(version_base="1.3", config_path=config_folder(), config_name="party")
def party(config: DictConfig) -> None:
    """Train with the other parties."""
    with user_errors(lambda: how_to_go_on(Path(config.folder))):
        for key in ("name", "rendezvous"):
            if OmegaConf.is_missing(config, key):
                raise ValueError(f"{key} is missing: say vl-party name=alice rendezvous=bob.example:29500, for example.")
        hide_cuda(config)
        check_resumed(config)
        try:
            run_party(config, config.name, config.rendezvous)
        except ConnectionError as error:
            raise ConnectionError(f"{error} {how_to_go_on(Path(config.folder))}") from error


def how_to_go_on(folder: Path) -> str:
    """Say whether there is a checkpoint, and how to use it."""
    if not list(folder.glob("checkpoints/last.ckpt/*.ckpt")):
        return "No checkpoint has been written meanwhile; start all parties again with the same commands."
    words = [word for word in sys.argv[1:] if not word.startswith("ckpt_path=")]
    command = shlex.join(["vl-party", *(re.sub(rf"^\+\+(?={OF_A_PARTY})", "", word) for word in words), f"ckpt_path={folder}"])
    return f"To go on, start all parties again, each with the folder of its own run: {command}"


if __name__ == "__main__":
    main()
