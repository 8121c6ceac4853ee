"""The product of all choices, as Hydra's own sweeper has it, with every legal cut and with baselines."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from types import ModuleType

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf

from vertical_lightning.config.compose import build, user_errors
from vertical_lightning.reports.manifest import OF_A_SPLIT
from vertical_lightning.split.cut import every, written
from vertical_lightning.sweep import provenance
from vertical_lightning.sweep.job import key
from vertical_lightning.sweep.overrides import is_every

Words = Sequence[str]
"""One job: its overrides."""


UNCUT = ("cut=null", "merge=concat", "topology.owners=[]", "defense=none", "codec=none", "schedule=synchronous", "attack=none")
"""What a baseline says of what only a split has."""


class GridSweeper(Sweeper):
    """Runs every combination of the choices on the command line and in `hydra.sweeper.params`; the command line wins.

    `cut=all` becomes all legal cuts of each job's own architecture and topology. For each split job, `sweep.baselines`
    adds the same job uncut and on the same aligned rows, once for each name: `centralized` (the label holder has all columns),
    or a feature party (the label holder has that party's columns only).

    Args:
        params: Choices by key, such as `{"cut": "1,2"}`.
    """

    hydra_context: HydraContext
    config: DictConfig
    launcher: Launcher

    def __init__(self, params: Mapping[str, object] | None = None) -> None:
        self.params = params or {}

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Prepare the launcher; called by Hydra."""
        self.hydra_context, self.config = hydra_context, config
        self.launcher = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )

    def sweep(self, arguments: list[str]) -> Sequence[JobReturn]:
        """Launch all jobs; called by Hydra."""
        OmegaConf.save(self.config, Path(self.config.hydra.sweep.dir, "multirun.yaml"))
        words = [*(f"{name}={values}" for name, values in self.params.items()), *arguments]
        with user_errors():
            self.check_experiments(words)
            jobs = [job for combination in self.combinations(words) for job in self.every_cut(combination)]
            jobs += self.baselines(jobs)
        provenance.count(Path(self.config.hydra.sweep.dir), len(jobs))
        self.validate_batch_is_legal(jobs)  # a mistake in one shows before the first is run
        return self.launch(jobs)

    def launch(self, jobs: Sequence[Words]) -> Sequence[JobReturn]:
        """Run the jobs; if a signal ends them, report on the finished ones: Hydra calls no callback then."""
        ended = False
        try:
            returns = self.launcher.launch([list(job) for job in jobs], initial_job_idx=0)
            ended = True
        finally:
            if not ended:
                report_on(Path(self.config.hydra.sweep.dir))
        return returns

    def check_experiments(self, words: Words) -> None:
        """Refuse to sweep over experiments that carry a sweep of their own: it would be left out without a word.

        Raises:
            ValueError: If one does.
        """
        for override in OverridesParser.create().parse_overrides(list(words)):
            if override.key_or_group == "experiment" and override.is_sweep_override():
                for name in override.sweep_string_iterator():
                    if self.compose([f"experiment={name}"]).sweep.mode is not None:
                        raise ValueError(
                            f"experiment={name} carries its own sweep; run it by itself: vl-train experiment={name}."
                        )

    def combinations(self, words: Words) -> list[Words]:
        """Multiply the choices out.

        Raises:
            ValueError: If a choice is a range of real numbers.
        """
        choices: dict[str, list[str]] = {}
        for override in OverridesParser.create(self.hydra_context.config_loader).parse_overrides(list(words)):
            name = override.get_key_element()
            if not override.is_sweep_override():
                choices[name] = [f"{name}={override.get_value_element_as_str()}"]
            elif override.is_discrete_sweep():
                choices[name] = [f"{name}={value}" for value in override.sweep_string_iterator()]
            else:
                raise ValueError(
                    f"{override.input_line} has no list of values: give some, such as {name}=0.1,0.2, or search with "
                    "hydra/sweeper=optuna."
                )
        return list(product(*choices.values()))

    def compose(self, words: Words) -> DictConfig:
        """Compose one job's configuration."""
        config: DictConfig = self.hydra_context.config_loader.load_sweep_config(self.config, list(words))
        return DictConfig({name: node for name, node in config.items_ex(resolve=False) if name != "hydra"})

    def every_cut(self, words: Words) -> list[Words]:
        """Put each legal cut in the place of `cut=all`."""
        if not any(map(is_every, words)):
            return [words]
        config = self.compose(words)
        count = len(config.topology.owners)
        cuts = [written(cuts_of_job) for cuts_of_job in every(list(build(config.architecture).stages(1)), count)]
        return [[f"cut={cut}" if is_every(word) else word for word in words] for cut in cuts]

    def baselines(self, jobs: Sequence[Words]) -> list[Words]:
        """Build the baselines of the given jobs; jobs that differ only in what a baseline does not have share one."""
        words_by_key: dict[str, Words] = {}
        # Most cuts and merges share their words already; composing takes 50 ms.
        for baseline in dict.fromkeys(tuple(uncut(words, name)) for words in jobs for name in baselines(self.config)):
            words_by_key.setdefault(key(self.compose(baseline)), baseline)
        return list(words_by_key.values())


def report_on(folder: Path) -> None:
    """Write the report of a sweep that was stopped, if it has anything to report."""
    from vertical_lightning.reports.writing import write  # pandas and matplotlib take seconds to import

    with suppress(ValueError, OSError):
        print(f"\n{write([folder], folder)}", flush=True)


def uncut(words: Words, name: str) -> Words:
    """Write a split job without its split.

    Whatever is said of single parties, merges and cuts has no meaning then, and goes.

    >>> words = uncut(["architecture=mlp", "partition=halves", "cut=2", "+optimizer.parties.alice.lr=1", "seed=1"], "alice")
    >>> [word for word in words if word not in UNCUT]
    ['architecture=mlp', 'partition=halves', 'seed=1', 'baseline=alice']
    """
    of_a_split = (
        rf"\+*(({'|'.join(OF_A_SPLIT)})(\..*)?|baseline|(optimizer|scheduler|architecture)\.parties.*)=|\+*clip_norm(=\{{|\.)"
    )
    kept = [word for word in words if word.startswith("topology=") or not re.match(of_a_split, word)]
    return [*kept, *UNCUT, f"baseline={name}"]


def baselines(config: DictConfig) -> list[str]:
    """Return the names in `sweep.baselines`; one name needs no list."""
    asked = config.sweep.baselines or []
    return [asked] if isinstance(asked, str) else list(asked)


def register() -> None:
    """Make the sweeper known to Hydra, which takes plugins from the namespace `hydra_plugins` only.

    A package in that namespace would be found in wheels, but not in editable installs; so this module answers to a name in it.
    """
    known = Plugins.instance()
    GridSweeper.__module__ = "hydra_plugins.vertical_lightning"
    if find_spec("hydra_plugins") is None:  # no plugin is installed
        sys.modules["hydra_plugins"] = ModuleType("hydra_plugins")
    sys.modules[GridSweeper.__module__] = sys.modules[__name__]
    known.register(GridSweeper)
