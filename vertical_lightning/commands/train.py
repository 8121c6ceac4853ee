"""The command `vl-train`: one run, or a sweep of many."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from vertical_lightning.config import folder_name
from vertical_lightning.config.compose import (
    allow_party_overrides,
    config_folder,
    hide_cuda,
    import_from_here,
    in_sweep,
    or_leave,
    stand_alone,
    user_errors,
)
from vertical_lightning.config.finished_run import check_resumed, going_on
from vertical_lightning.config.objective import check_names, values
from vertical_lightning.config.stopping import NOTHING_SAVED, stoppable
from vertical_lightning.sweep import extras, grid_sweeper, job

folder_name.register()  # here, because a launcher's workers import this module without calling main


def main() -> None:
    """Run the command line."""
    import_from_here()
    with or_leave():
        sys.argv[1:] = allow_party_overrides(going_on(sys.argv[1:]))
    extras.check(sys.argv[1:])
    grid_sweeper.register()
    with stoppable():  # also between two jobs of a sweep
        run()


@hydra.main(version_base="1.3", config_path=config_folder(), config_name="train")
def run(config: DictConfig) -> float | tuple[float | None, ...] | None:
    """Train, test, report; return what a search is to optimize, None where there is no such metric."""
    stand_alone()
    import_from_here()  # in a launcher's worker, too
    swept = in_sweep()
    if not (swept and "trainer.accelerator" in job.swept(config)):
        hide_cuda(config)
    with user_errors(partial(how_to_go_on, config)):
        check_resumed(config)
        check_names(config)
        # Torch and Lightning take seconds to import; `--help`, `--cfg job` and completion answer at once.
        from vertical_lightning.run.execution import execute

        metrics = job.run(config, execute) if swept else execute(config)
        return values(config, metrics, search="direction" in HydraConfig.get().sweeper)


def how_to_go_on(config: DictConfig) -> str:
    """Say how, after a signal has ended the command."""
    if in_sweep():
        return "To go on: the same command with sweep.resume=true; it takes over the jobs that are finished."
    if list(Path(config.folder).glob("checkpoints/last.ckpt/*.ckpt")):
        return f"To go on: the same command with ckpt_path={config.folder}."
    return NOTHING_SAVED


if __name__ == "__main__":
    main()
