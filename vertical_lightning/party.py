"""The command `vl-party`: one party of a run, here; the others run theirs."""

from __future__ import annotations

import os
import re
import secrets
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

import hydra
from omegaconf import DictConfig, OmegaConf

from vertical_lightning.configuration import (
    OF_A_PARTY,
    config_folder,
    open_parties,
    or_leave,
    sentences,
    spare_driver,
    stand_alone,
)
from vertical_lightning.finished_run import check_resumed, going_on
from vertical_lightning.stopping import stoppable
from vertical_lightning.sweep import folder_name

folder_name.register()  # here, because Hydra reads the folder's name before anything runs


def main() -> None:
    """Run the command line."""
    os.umask(0o077)  # weights, gradients and seeds are nobody else's on this machine either
    with or_leave():
        sys.argv[1:] = open_parties(going_on(sys.argv[1:]))
    with stoppable():
        party()


@hydra.main(version_base="1.3", config_path=config_folder(), config_name="party")
def party(config: DictConfig) -> None:
    """Train with the other parties."""
    with sentences(lambda: how_to_go_on(Path(config.folder))):
        for key in ("name", "rendezvous"):
            if OmegaConf.is_missing(config, key):
                raise ValueError(f"{key} is missing: say vl-party name=alice rendezvous=bob.example:29500, for example.")
        spare_driver(config)
        check_resumed(config)
        try:
            run_party(config, config.name, config.rendezvous)
        except ConnectionError as error:
            raise ConnectionError(f"{error} {how_to_go_on(Path(config.folder))}") from error


def run_party(
    config: DictConfig, name: str, rendezvous: str, compared: Mapping[str, str | float] | None = None
) -> dict[str, float]:
    """Train as one party."""
    begin_party()
    from vertical_lightning.train import train

    if config.party_seed is None:
        kept = kept_seed(config.ckpt_path, name)
        config.party_seed = secrets.randbits(128) if kept is None else kept
    return train(config, compared, party=name, rendezvous=rendezvous)


def begin_party() -> None:
    """Run as nobody's helper, and let the threads that read have the interpreter at once: by default they wait for 5 ms."""
    sys.setswitchinterval(1e-4)
    stand_alone()


def kept_seed(ckpt_path: str | None, name: str) -> int | None:
    """Return the private seed of the run to go on with."""
    if ckpt_path is None:
        return None
    from vertical_lightning.checkpoint_file import read
    from vertical_lightning.checkpoints import place

    file = place(Path(ckpt_path), name)
    return read(file)["party_seed"] if file.is_file() else None


def how_to_go_on(folder: Path) -> str:
    """Say whether there is a checkpoint, and how to use it."""
    if not list(folder.glob("checkpoints/last.ckpt/*.ckpt")):
        return "No checkpoint has been written meanwhile; start all parties again with the same commands."
    words = [word for word in sys.argv[1:] if not word.startswith("ckpt_path=")]
    command = shlex.join(["vl-party", *(re.sub(rf"^\+\+(?={OF_A_PARTY})", "", word) for word in words), f"ckpt_path={folder}"])
    return f"To go on, start all parties again, each with the folder of its own run: {command}"


if __name__ == "__main__":
    main()
