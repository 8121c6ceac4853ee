"""The command `vl-export`: one party's own part of a trained network, as files that run without this package."""

from __future__ import annotations

import sys

import hydra
from omegaconf import DictConfig, OmegaConf

from vertical_lightning.config.compose import allow_party_overrides, config_folder, import_from_here, user_errors
from vertical_lightning.run.export import write


def main() -> None:
    """Run the command line."""
    import_from_here()
    sys.argv[1:] = allow_party_overrides(sys.argv[1:])
    export()


@hydra.main(version_base="1.3", config_path=config_folder(), config_name="export")
def export(config: DictConfig) -> None:
    """Write a file for each submodel of the network that the party owns, and say what goes in and comes out."""
    with user_errors():
        for key in ("run", "party"):
            if OmegaConf.is_missing(config, key):
                raise ValueError(f"{key} is missing: say vl-export run=logs/runs/DATE party=alice, for example.")
        print(write(config.run, config.party, config.format, config.out, config.ckpt_path, config.trust))


if __name__ == "__main__":
    main()
