"""Refuses settings that cannot be meant, before anything takes time: kinds, ranges, and what wants a single optimizer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from importlib.util import find_spec
from inspect import isclass
from pathlib import Path
from typing import Any

from hydra.utils import get_object
from omegaconf import DictConfig
from pytorch_lightning.callbacks import (
    BatchSizeFinder,
    GradientAccumulationScheduler,
    LearningRateFinder,
    StochasticWeightAveraging,
)
from pytorch_lightning.loggers import MLFlowLogger, WandbLogger

from vertical_lightning.config.choices import learning_rate_schedule, of_party
from vertical_lightning.config.compose import build
from vertical_lightning.config.ranges import check_ranges
from vertical_lightning.config.setting_kinds import OURS, check_kinds
from vertical_lightning.split.checkpoints import PartyCheckpoints
from vertical_lightning.split.per_party import check_parties
from vertical_lightning.split.precision import check_precision

LOGGER_NEEDS: Mapping[type, str] = {WandbLogger: "wandb", MLFlowLogger: "mlflow"}
"""Class → package, which is also the name of the extra that brings it."""


ONE_DEVICE = "all parties train on one device; execution=gloo gives each party a process of its own"
OTHERWISE: Mapping[str, tuple[tuple[object, ...], str]] = {
    "devices": ((1, "1", "auto", None), ONE_DEVICE),
    "num_nodes": ((1, None), ONE_DEVICE),
    "strategy": (("auto", None), ONE_DEVICE),
    "accumulate_grad_batches": (
        (1, None),
        "every party steps its own optimizer; give accumulate, one number for all or one a party",
    ),
    "gradient_clip_val": ((None, 0), "gradients are clipped party by party; give clip_norm"),
    "overfit_batches": (
        (0, 0.0, None),
        "give trainer.limit_train_batches and datamodule.shuffle=false, which train on the same",
    ),
    "barebones": ((False, None), "it would log no metric; trainer.fast_dev_run=true tries a run out"),
    "reload_dataloaders_every_n_epochs": ((0, None), "the rows are aligned once and stay"),
}
"""Arguments of Lightning's trainer that do not go with one optimizer a party: what they may be, and what to do instead."""

CALLBACKS: Mapping[type, str] = {
    StochasticWeightAveraging: "it averages what one optimizer steps; average checkpoints of callbacks.checkpoint.save_top_k",
    LearningRateFinder: "it tries rates out on one optimizer; sweep them: vl-train -m optimizer.lr=1e-4,1e-3,1e-2",
    BatchSizeFinder: "it changes the loader's batch size; give batch_size",
    GradientAccumulationScheduler: OTHERWISE["accumulate_grad_batches"][1],
}
"""Lightning's callbacks that want automatic optimization with one optimizer, and what to do instead."""


def check_settings(config: DictConfig, party: str | None) -> None:
    """Refuse what would only fail, or mislead, after alignment has taken its time.

    Args:
        config: The whole configuration.
        party: The party that runs in this process; None for all.

    Raises:
        ValueError: Says what was given, what is allowed and what to do.
    """
    if not isinstance(config.label_holder, str):
        raise ValueError(f"label_holder={config.label_holder} is not allowed: labels may lie at one party only; give its name.")
    check_kinds(config)
    check_ranges(config)
    check_precision(config.trainer.precision)  # on a CPU Lightning would turn fp16 into bf16 before the module sees it
    check_trainer(config, party)
    check_guards(config)
    for name in ("", *{**(config.optimizer.get("parties") or {}), **(config.scheduler.get("parties") or {})}):
        check_optimizer(config, name)
    if config.ckpt_path:
        PartyCheckpoints(None if party is None else [party]).files(Path(config.ckpt_path))


def is_a(node: Any, kind: type) -> bool:
    """Whether a node of the configuration makes an object of a class, or of one that is derived from it."""
    with suppress(Exception):  # what cannot be found Hydra says better
        target = get_object(node["_target_"])
        return isclass(target) and issubclass(target, kind)
    return False


def check_trainer(config: DictConfig, party: str | None) -> None:
    """Refuse what Lightning does for one optimizer only, and clocks that differ between processes."""
    for name, (allowed, instead) in OTHERWISE.items():
        if config.trainer.get(name) not in allowed:
            raise ValueError(f"trainer.{name}={config.trainer[name]} is not supported: {instead}.")
    for name, node in (config.get("callbacks") or {}).items():
        for refused, instead in CALLBACKS.items():
            if is_a(node, refused):
                raise ValueError(f"callbacks.{name}, {refused.__name__}, is not supported: {instead}.")
    if party is not None and config.trainer.get("max_time") is not None:
        raise ValueError("trainer.max_time ends by each party's own clock; between processes give max_epochs or max_steps.")


def check_optimizer(config: DictConfig, party: str) -> None:
    """Let torch judge an optimizer and a schedule, on a parameter that nobody trains.

    Args:
        config: The whole configuration.
        party: Whose; empty for those of all.
    """
    import torch

    tried = "optimizer"
    try:
        optimizer = build(of_party(config.optimizer, party))([torch.nn.Parameter(torch.zeros(1))])
        tried = "scheduler"
        made = learning_rate_schedule(of_party(config.scheduler, party))
        if made is not None:
            made.try_out(optimizer)
    except (TypeError, ValueError, ZeroDivisionError, AttributeError) as error:
        own = (config[tried].get("parties") or {}).get(party)
        told = ", ".join(f"{key!s}={value}" for key, value in (own or config[tried]).items() if str(key) not in OURS)
        raise ValueError(f"{tried}{f'.parties.{party}' if own else ''} with {told} cannot be used: {error}.") from error


def check_guards(config: DictConfig) -> None:
    """Let guards, codec and schedule judge their own arguments.

    Raises:
        ValueError: One of them is refused; the sentence is its own.
    """
    for node in config.defense.values():
        for party in ("", *(node.get("parties") or {})):
            build(of_party(node, party))()
    if config.codec:
        build(config.codec)()
    build(config.schedule)


def check_members(config: DictConfig, parties: Iterable[str]) -> None:
    """Refuse settings for a party that takes no part, and seeds for some parties only.

    Args:
        config: The whole configuration.
        parties: Those that bring rows.

    Raises:
        ValueError: Names them.
    """
    parties = list(parties)
    members = list(dict.fromkeys([*parties, *config.topology.owners, config.label_holder]))
    check_parties("an architecture of its own", config.architecture.get("parties") or {}, parties)
    for name in ("optimizer", "scheduler"):
        check_parties("a setting of its own", config[name].get("parties") or {}, members)
    for name in ("clip_norm", "accumulate", "party_seed"):
        given = config[name] if isinstance(config[name], DictConfig) else dict.fromkeys(members)
        check_parties(name, given, members)
        if name == "party_seed" and (missing := [member for member in members if member not in given]):
            raise ValueError(f"party_seed has no seed for {', '.join(missing)}; give one for all, or one for each party.")


def check_loggers(config: DictConfig) -> None:
    """Refuse a logger whose package is not installed.

    Raises:
        ValueError: It says what to install.
    """
    for node in (config.get("logger") or {}).values():
        for package in (package for kind, package in LOGGER_NEEDS.items() if is_a(node, kind) and find_spec(package) is None):
            raise ValueError(
                f"logger={package} needs {package}, which is not installed: pip install 'vertical_lightning[{package}]', or "
                "choose another logger: tensorboard, csv or none."
            )
