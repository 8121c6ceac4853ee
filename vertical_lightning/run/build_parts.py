"""The parts of the typed pass: trainer, threads, network and module, from the configuration and what was built before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from omegaconf import DictConfig, open_dict
from pytorch_lightning.callbacks import Checkpoint, ProgressBar

from vertical_lightning.config.best import kept
from vertical_lightning.config.choices import architectures, by_party, guards, learning_rate_schedule
from vertical_lightning.config.compose import build, in_sweep
from vertical_lightning.data.datamodule import VerticalDataModule
from vertical_lightning.data.party_data import PartyDataModule
from vertical_lightning.distributed.decisions import coordinated
from vertical_lightning.distributed.link_metrics import LinkMetrics
from vertical_lightning.distributed.session import Session
from vertical_lightning.run import threads
from vertical_lightning.run.last_batch import check_last_batch
from vertical_lightning.run.skip_empty_hooks import skip_empty_hooks
from vertical_lightning.split.checkpoint_file import glance
from vertical_lightning.split.checkpoints import PartyCheckpoints
from vertical_lightning.split.codec import PLAIN
from vertical_lightning.split.flops import operations
from vertical_lightning.split.initial_weights import stages_of, start_from
from vertical_lightning.split.precision import dtypes
from vertical_lightning.split.split_module import SplitModule
from vertical_lightning.split.topology import Topology


def build_trainer(config: DictConfig, session: Session | None) -> pl.Trainer:
    """Build the trainer with its loggers and callbacks."""
    if kept(config, in_sweep()) == "none":
        with open_dict(config.trainer):
            config.trainer.enable_checkpointing = False
    wanted = {"enable_progress_bar": ProgressBar, "enable_checkpointing": Checkpoint}
    refused = tuple(kind for name, kind in wanted.items() if config.trainer.get(name) is False)
    callbacks = [callback for callback in build(config.get("callbacks") or {}).values() if not isinstance(callback, refused)]
    here = None if session is None else [session.party]
    checkpoints = PartyCheckpoints(here, build(config.party_seed), run="" if session is None else session.run)
    if session is not None:
        config.trainer.pop("enable_checkpointing", None)  # Lightning would refuse whoever follows decisions, too
        callbacks = [*coordinated(callbacks, session, checkpoints), LinkMetrics(session)]
    loggers = list(build(config.get("logger") or {}).values())
    plugins = [*(build(config.trainer.get("plugins")) or []), checkpoints]
    trainer: pl.Trainer = build(config.trainer)(logger=loggers, callbacks=callbacks, plugins=plugins)
    skip_empty_hooks(trainer.callbacks)  # type: ignore[attr-defined]
    return trainer


def use_threads(config: DictConfig, data: VerticalDataModule) -> None:
    """Let torch take as many threads as were asked for, or as the run to go on with had, or as there is work for.

    The number stands in the configuration then: other threads add numbers up in another order, and give other last bits.
    """
    if config.threads is None and config.ckpt_path:
        here = data.party if isinstance(data, PartyDataModule) else None
        config.threads = glance(PartyCheckpoints(here and [here]).files(Path(config.ckpt_path))[0]).get("threads")
    if config.threads is None:
        nobody = build_network(config, data, here=[])
        config.threads = threads.fitting(operations(nobody, config.batch_size), config.get("most_threads"))
    threads.use(config.threads)


def build_network(config: DictConfig, data: VerticalDataModule, here: Sequence[str] | None) -> Topology:
    """Build the network for the shapes that the parties hold, with the parties of this process in it; None for all."""
    architecture, own = architectures(config)
    members = dict.fromkeys([*data.shapes, *config.topology.owners, config.label_holder])
    network: Topology = build(config.topology)(
        architecture,
        data.shapes,
        data.task.outputs,
        merge=build(config.merge),
        own=own,
        guards=guards(config, list(members)),
        codec=build(config.codec) or None,
        here=here,
    )
    return network


def build_module(config: DictConfig, data: VerticalDataModule, session: Session | None = None) -> SplitModule:
    """Build the network, and the module that trains it."""
    network = build_network(config, data, None if session is None else [session.party])
    check_last_batch(network, data)
    if config.weights is not None:
        print(f"{start_from(network, build(config.weights))}\n", flush=True)
    transport = None
    if session is not None:
        codec = build(config.codec)() if config.codec else PLAIN
        transport = session.transport(network.hops, config.batch_size, dtypes(config.trainer.precision), codec)
    return SplitModule(
        network,
        optimizer=by_party(config.optimizer, network.members),
        scheduler=by_party(config.scheduler, network.members, make=learning_rate_schedule),
        clip_norm=build(config.clip_norm),
        accumulate=build(config.accumulate),
        task=data.task,
        transport=transport,
        schedule=build(config.schedule),
        metrics=build(config.metrics),
    )


def trained_network(settings: DictConfig, saved: Mapping[str, Any], party: str) -> tuple[Topology, torch.dtype]:
    """Build a finished run's network with one party's stages as they were trained, and all others on the device `meta`.

    Args:
        settings: The run's.
        saved: The party's checkpoint.
        party: Whose stages.

    Returns:
        The network, and the numbers that it computes with.

    Raises:
        ValueError: The checkpoint is not of this network.
    """
    architecture, own = architectures(settings)
    shapes, outputs, merge = saved["shapes"], saved["outputs"], build(settings.merge)
    built: Topology = build(settings.topology)(architecture, shapes, outputs, merge=merge, own=own, seed=0, here=[party])
    if party not in built.members:
        members = ", ".join(built.members)
        raise ValueError(f"party={party} owns no stages of this run's network; {members} do. Is ckpt_path of another run?")
    kind = dtypes(settings.trainer.precision)[-1]
    for member in built.members:
        built.own(member).to(kind)
    try:
        built.own(party).load_state_dict(stages_of(saved["state_dict"]))
    except RuntimeError as error:
        raise ValueError(f"{party}'s checkpoint is not of this run's network; is ckpt_path of another run? {error}") from error
    return built, kind
