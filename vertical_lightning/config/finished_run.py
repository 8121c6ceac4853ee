"""What the folder of a run says, for a command that goes on with it; it may have come from somebody else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import yaml
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import OverrideParseException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from vertical_lightning.config.compose import PATHS, divided
from vertical_lightning.config.hparams import hyper_parameters
from vertical_lightning.config.trusted_targets import check_targets

OVERRIDES = Path(".hydra", "overrides.yaml")
"""In a run's folder: the words of its command."""

OWN = (*PATHS, "trust", "out", "folder", "sweep.mode", "sweep.resume")
"""What a command says for itself, whatever the run was told."""


def after_the_runs(words: Sequence[str], key: str) -> list[str]:
    """Put the command line of the run that `key=FOLDER` names before this one, less what this one says anew.

    Args:
        words: This command line.
        key: `run` or `ckpt_path`.

    Raises:
        ValueError: The folder's record is none of a command line, or says what no other command may take over.
    """
    options, settings = divided(words)
    said = {override.key_or_group: override for override in parsed(settings)}
    folder = folder_of(Path(str(said[key].value()))) if key in said else None
    before = [] if folder is None else [word for name, word in told(folder) if name not in said]
    return [*options, *before, *settings]


def going_on(words: Sequence[str]) -> list[str]:
    """Begin with what the run was told that `ckpt_path=` goes on with, unless this is a sweep, which says all by itself."""
    if {"-m", "--multirun"} & set(words):
        return list(words)
    whole = after_the_runs(words, "ckpt_path")
    return [*whole, "sweep.mode=null"] if len(whole) > len(words) else whole


def check_resumed(config: DictConfig) -> None:
    """Refuse a run's folder with forbidden targets, and print what this command changes of its settings."""
    folder = folder_of(Path(str(config.ckpt_path))) if config.ckpt_path else None
    if folder is not None:
        check_targets(config, config.trust)
        print(f"{changes(config, folder)}\n", flush=True)


def folder_of(path: Path) -> Path | None:
    """Find the run that a path belongs to: its folder, a party's, a checkpoint of it; None if it is of no run."""
    places = [path, *path.absolute().parents[:4]]
    return next((place for place in places if (place / OVERRIDES).is_file()), None)


def told(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield (key, word) of the command line of a run.

    Raises:
        ValueError: The record is none of a command line, or has words that reach beyond the run's settings.
    """
    record = folder / OVERRIDES
    try:
        words = yaml.safe_load(record.read_text()) or []
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"{record} cannot be read: it is no list of settings.") from error
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise ValueError(f"{record} is no list of settings, such as [cut=1, seed=0].")
    for word, override in zip(words, parsed(words), strict=True):
        name = override.key_or_group
        if name in OWN:
            continue
        if name.startswith("hydra") or (override.package or "").startswith("hydra") or leads_out(override):
            raise ValueError(
                f"{record} has {word!r}, which reaches beyond the settings of a run. If you trust its sender, remove the line "
                "and say the same on the command line."
            )
        yield name, word


def parsed(words: Sequence[str]) -> list[Override]:
    """Read settings as Hydra does.

    Raises:
        ValueError: One is no setting.
    """
    try:
        return OverridesParser.create().parse_overrides(list(words))
    except OverrideParseException as error:
        raise ValueError(f"{error.override!r} is no setting such as cut=1: {error.message}") from error


def leads_out(override: Override) -> bool:
    """Whether a choice of a group names a file elsewhere: Hydra would read it."""
    value = override.value()
    parts = [Path(str(choice)).parts for choice in (value if isinstance(value, list) else [value])]
    return "." not in override.key_or_group and any(".." in pieces or pieces[:1] == ("/",) for pieces in parts)


def changes(config: DictConfig, folder: Path) -> str:
    """Say what a command changes of the run that it goes on with.

    Args:
        config: The command's configuration.
        folder: The run's.
    """
    record = folder / ".hydra" / "config.yaml"
    if not record.is_file():
        return ""
    before, now = hyper_parameters(readable(record)), hyper_parameters(config)
    names = [name for name in {**before, **now} if name.split(".")[0] not in OWN and before.get(name) != now.get(name)]
    told = ", ".join(f"{name} {before.get(name, 'none')} → {now.get(name, 'none')}" for name in sorted(names))
    return f"The settings are those of {folder}{f'; changed: {told}' if told else ''}."


def readable(record: Path) -> DictConfig:
    """Read a run's configuration.

    Raises:
        ValueError: It is none.
    """
    try:
        settings = OmegaConf.load(record)
    except (yaml.YAMLError, OmegaConfBaseException, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"{record} cannot be read: it is no configuration.") from error
    if not isinstance(settings, DictConfig):
        raise ValueError(f"{record} is no configuration.")
    return settings


def settings_of(run: Path, trust: Sequence[str] = ()) -> DictConfig:
    """Read what the run was asked for; it may be somebody else's."""
    file = run / ".hydra" / "config.yaml"
    if not file.is_file():
        raise ValueError(
            f"run={run} is no run: there is no {file}. Give the folder that vl-train or vl-party names at its end."
        )
    settings = readable(file)
    check_targets(settings, trust, made=("architecture", "merge", "topology"))
    return settings


def quiet(config: DictConfig) -> DictConfig:
    """Return the configuration that predicts: with the run's bar, without its other observers and limits of rows."""
    own = config.copy()
    OmegaConf.set_struct(own, False)
    bar = {name: node for name, node in (config.get("callbacks") or {}).items() if name == "progress_bar"}
    for limit, value in (("limit_test_batches", None), ("fast_dev_run", False), ("overfit_batches", 0)):
        own.trainer[limit] = value  # the run's own may have been fewer rows than the split has
    own.callbacks, own.logger, own.trainer.enable_progress_bar, own.attack = bar, {}, bool(bar), {}
    return own
