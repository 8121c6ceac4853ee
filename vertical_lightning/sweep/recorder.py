"""Before the first job: can the sweep run, and what is it about? After the last: the report."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from hydra.utils import get_class
from omegaconf import DictConfig, ListConfig, OmegaConf

from vertical_lightning.config.objective import check_names, objectives, shown
from vertical_lightning.reports.manifest import SWEEP
from vertical_lightning.split.metric_direction import mode_of
from vertical_lightning.sweep import overrides, provenance
from vertical_lightning.sweep.grid_sweeper import UNCUT, GridSweeper


class Recorder(Callback):
    """A Hydra callback around a sweep."""

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Record the study, and name the jobs' folders by what is swept."""
        words = [*(f"{name}={values}" for name, values in (config.hydra.sweeper.params or {}).items())]
        words += config.hydra.overrides.task
        swept = overrides.varied(words)
        check(config)
        objective = objectives(config)
        if "direction" in config.hydra.sweeper and not any(
            "hydra.sweeper.direction" in word for word in config.hydra.overrides.hydra
        ):
            # A search minimizes unless told otherwise; that accuracy is to rise goes without saying.
            config.hydra.sweeper.direction = [f"{mode_of(name)}imize" for name in objective]
        provenance.write(Path(config.hydra.sweep.dir), swept, objective, shown(config))
        said_by_baselines = [word.partition("=")[0] for word in UNCUT[1:]]  # besides `baseline` and `cut`, which are enough
        hidden = {*config.hydra.job.config.override_dirname.exclude_keys, *overrides.fixed(words), *said_by_baselines} - set(
            swept
        )
        names = ",".join(f"'{name}'" for name in sorted(hidden))
        config.hydra.overrides.hydra.append(f"hydra.job.config.override_dirname.exclude_keys=[{names}]")

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Write the report, and leave with exit status 1 if a job failed or none completed: Hydra would not."""
        # pandas, matplotlib and torch take seconds to import; a single run needs none here.
        from vertical_lightning.reports.writing import write
        from vertical_lightning.sweep.where_logged import how_to_look_at_jobs

        folder = Path(config.hydra.sweep.dir)
        try:
            report = write([folder], folder)
        except (ValueError, OSError) as error:
            sys.exit(f"vl-train: {error}")
        configs = [DictConfig(OmegaConf.load(path)) for path in sorted(folder.glob("*/.hydra/config.yaml"))]
        print(f"\n{report}\n{how_to_look_at_jobs(configs, folder)}", flush=True)
        if report.states.get("failed") or not report.states.get("completed"):
            sys.exit(1)


def check(config: DictConfig) -> None:
    """Leave with a sentence where the sweep would not be what was asked for."""
    folder = Path(config.hydra.sweep.dir)
    asked = objectives(config)
    if not all(isinstance(name, str) for name in asked):
        sys.exit(f"vl-train: objective={config.objective} names no metric; give one such as val/accuracy, or a list.")
    if "direction" in config.hydra.sweeper and not asked:
        sys.exit("vl-train: a search has to know what for: give objective=val/accuracy, or val/rmse for numbers.")
    try:
        check_names(config)
    except ValueError as error:
        sys.exit(f"vl-train: {error}")
    named = config.sweep.baselines
    if not isinstance(named, str | ListConfig | None):
        sys.exit(f"vl-train: sweep.baselines={named} names none: give centralized, a feature party, or a list of them.")
    if named and not issubclass(get_class(config.hydra.sweeper._target_), GridSweeper):
        sys.exit("vl-train: sweep.baselines needs hydra/sweeper=grid; a search runs only what it proposes.")
    if (folder / SWEEP).exists() and not config.sweep.resume:
        sys.exit(
            f"vl-train: {folder} holds a sweep already, and its report would mix the two. Choose another hydra.sweep.dir, "
            "or go on with sweep.resume=true."
        )
