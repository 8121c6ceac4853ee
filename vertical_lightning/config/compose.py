"""Where the configuration lies, and the one place where its names become objects."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import hydra
from hydra.core.config_store import ConfigStore
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from vertical_lightning.config.stopping import stoppable

# Hydra 1.3 copies all that lies in this singleton, which it only reads, for every group that --help lists: 7 of 8 parts of it.
ConfigStore.__deepcopy__ = lambda store, memo: store  # type: ignore[attr-defined]


Configuration: TypeAlias = DictConfig
"""What a command has composed; nobody looks into it but this room, `run.build`, sweeps and commands."""


def config_folder() -> str:
    """Return the absolute path of `conf/`: inside an installed package, or beside the package in a checkout."""
    package = Path(__file__).resolve().parents[1]
    return str(next(folder for folder in (package / "conf", package.parent / "conf") if folder.is_dir()))


@contextmanager
def user_errors(go_on: Callable[[], str] = str) -> Iterator[None]:
    """Show bad input as the sentence that helps, and nothing around it; all of it when HYDRA_FULL_ERROR=1.

    Args:
        go_on: Says how to go on after SIGTERM or Ctrl-C.
    """
    with stoppable(go_on), _as_sentence():
        yield


@contextmanager
def _as_sentence() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        cause = error.__cause__ if type(error).__name__ == "InstantiationException" else None
        shown = cause if isinstance(cause, ValueError | OSError) else error
        ours = (
            isinstance(shown, ValueError | OSError | FloatingPointError) or type(shown).__name__ == "MisconfigurationException"
        )
        if not ours or os.environ.get("HYDRA_FULL_ERROR") == "1":
            raise
        # Not an exception of Hydra's, which it would print between two lines of its own.
        raise SystemExit(f"{Path(sys.argv[0]).stem}: {shown}") from error


PATHS = ("run", "ckpt_path", "weights")
"""Settings that name the folder of a run."""

OF_A_PARTY = r"(data|architecture|optimizer|scheduler|defense\.\w+)\.parties\."
"""What begins a setting of a party by its name."""

LONG, SHORT = "--cfg --config-dir --config-path --config-name --package --info", "-c -cd -cp -cn -p -i"
WITH_VALUE = (*LONG.split(), *SHORT.split())
"""Hydra's options whose value is the next word."""


def allow_party_overrides(words: Sequence[str]) -> list[str]:
    """Let the command line add settings of a party by its name, which no configuration file can list, in any script.

    Options come first: between overrides Hydra would not know what follows them. Letters beyond ASCII, which Hydra reads in
    quotes only, get them.

    >>> allow_party_overrides(["data.parties.bank.path=bank.csv", "--config-dir", "mine", "cut=1"])
    ['--config-dir', 'mine', '++data.parties.bank.path=bank.csv', 'cut=1']
    >>> allow_party_overrides(["data.parties.bank.label=größe", "data.classes=[nein,schön]"])
    ['++data.parties.bank.label="größe"', 'data.classes=[nein,"schön"]']
    """
    options, overrides = divided(words)
    return [*options, *(f"++{word}" if re.match(OF_A_PARTY, word) else word for word in overrides)]


def divided(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Divide a command line into Hydra's options, with their values, and settings.

    >>> divided(["cut=1", "--config-dir", "mine", "-m", "--cfg", "job"])
    (['--config-dir', 'mine', '-m', '--cfg', 'job'], ['cut=1'])
    """
    options: list[str] = []
    overrides: list[str] = []
    waiting = False
    for word in words:
        if waiting or word.startswith("-"):
            options.append(word)
        else:
            overrides.append(quoted(word))
        waiting = word in WITH_VALUE
    return options, overrides


@contextmanager
def or_leave() -> Iterator[None]:
    """Show bad words on the command line as a sentence, before Hydra reads them."""
    try:
        yield
    except ValueError as error:
        sys.exit(f"{Path(sys.argv[0]).stem}: {error}")


def quoted(word: str) -> str:
    """Quote values that Hydra reads in quotes only, unless the user has quoted something in them.

    That is letters beyond ASCII, and a run's folder with `=` in its name, as all jobs of a sweep have, if it is there.

    >>> print(quoted("out=meine Läufe/a=1.csv"), quoted("out='schön'"), quoted("run=nowhere/1_seed=1"))
    out="meine Läufe/a=1.csv" out='schön' run=nowhere/1_seed=1
    """
    key, equals, value = word.partition("=")
    if key in PATHS and "=" in value and Path(value).exists():
        return f"{key}='{value}'" if "'" not in value else f'{key}="{value}"'
    if not equals or value.isascii() or any(sign in value for sign in "\"'\\$"):
        return word
    if not any(sign in value for sign in "[]{},()"):
        return f'{key}="{value}"'
    return f"{key}=" + re.sub(r"[^\[\]{},:()]*[^\x00-\x7f][^\[\]{},:()]*", lambda match: f'"{match.group().strip()}"', value)


def stamps(config: Any) -> dict[str, list[int]]:
    """Return size and time of every file that a party brings: a configuration names files, and a file may change."""
    sizes_and_times = {}
    parties = OmegaConf.select(config, "parties") if OmegaConf.is_dict(config) else None
    for party in parties.values() if isinstance(parties, DictConfig) else ():
        for path in (party.get("path"), party.get("test_path")) if OmegaConf.is_dict(party) else ():
            if path is not None and (file := Path(str(path)).expanduser()).exists():
                sizes_and_times[str(path)] = [file.stat().st_size, file.stat().st_mtime_ns]
    return sizes_and_times


PARALLEL = (
    *("RANK", "LOCAL_RANK", "GROUP_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE", "NODE_RANK", "JSM_NAMESPACE_RANK"),
    *("SLURM_PROCID", "SLURM_LOCALID", "SLURM_NODEID", "SLURM_NTASKS", "SLURM_JOB_NAME"),
)
"""Variables by which Lightning takes a process of srun or torchrun for a worker of another rank, whose loggers are silent."""


def stand_alone() -> None:
    """Forget what launchers set: a run is its own rank zero. To be called before Lightning is imported, which reads it then."""
    for variable in [*PARALLEL, *(variable for variable in os.environ if variable.startswith("TORCHELASTIC"))]:
        os.environ.pop(variable, None)


def import_from_here() -> None:
    """Let settings name classes of files in the working directory; installed packages come first, whatever lies there."""
    if os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())


def hide_cuda(config: DictConfig) -> None:
    """Hide the GPU from a run on the CPU; to be called before torch is imported.

    With a CUDA build of torch and no GPU every Adam step would ask the driver first (0.1 ms).
    """
    if config.trainer.accelerator == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""


def as_text(config: DictConfig, secret: bool) -> str:
    """Write a configuration down.

    Args:
        config: The whole one.
        secret: Whether its party's seed is nobody else's business.
    """
    shown = config.copy()
    if secret:
        shown.party_seed = "secret"
    return OmegaConf.to_yaml(shown)


def in_sweep() -> bool:
    """Whether what runs here is a job of a sweep, so that another may come."""
    return HydraConfig.initialized() and HydraConfig.get().mode == RunMode.MULTIRUN


def build(node: Any) -> Any:
    """Make what a configuration node describes; other values are returned as they are."""
    return hydra.utils.instantiate(node, _convert_="all") if OmegaConf.is_config(node) else node
