"""From a configuration to aligned data, a split module and a trainer: what every command that runs a network begins with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import NamedTuple

import pytorch_lightning as pl
from omegaconf import DictConfig, open_dict
from pytorch_lightning.callbacks import Checkpoint, ProgressBar

from vertical_lightning import report
from vertical_lightning.best import kept
from vertical_lightning.checkpoint_file import glance
from vertical_lightning.checkpoints import PartyCheckpoints
from vertical_lightning.choices import by_party, schedule
from vertical_lightning.configuration import build
from vertical_lightning.data.datamodule import VerticalDataModule
from vertical_lightning.data.party_data import PartyDataModule
from vertical_lightning.empty_hooks import pass_over
from vertical_lightning.last_batch import check_last_batch
from vertical_lightning.loggers import check_loggers, close
from vertical_lightning.memory import recall, remember
from vertical_lightning.objective import check_metrics
from vertical_lightning.parties import handshake
from vertical_lightning.parties.decisions import led
from vertical_lightning.parties.going_on import newest_common
from vertical_lightning.parties.measured import Measured
from vertical_lightning.parties.session import Session
from vertical_lightning.precision import dtypes
from vertical_lightning.schema import Architecture
from vertical_lightning.settings import check_members, check_settings
from vertical_lightning.split_module import SplitModule
from vertical_lightning.sweep import job, threads
from vertical_lightning.topologies.cut import resolve
from vertical_lightning.weights import start_from
from vertical_lightning.work_per_batch import operations


class Assembled(NamedTuple):
    """All that runs, and the configuration as all parties agreed on it."""

    config: DictConfig
    trainer: pl.Trainer
    module: SplitModule
    data: VerticalDataModule


@contextmanager
def assembled(
    config: DictConfig,
    party: str | None = None,
    rendezvous: str = "",
    begin: Callable[[VerticalDataModule], None] | None = None,
) -> Iterator[Assembled]:
    """Load, meet the other parties if they are in processes of their own, align, and build what runs.

    Leaving the context says goodbye to them, or whose error ended the run.

    Args:
        config: The whole configuration.
        party: The party that runs in this process; None for all.
        rendezvous: Where the others find the label holder's process, `host:port`.
        begin: Called with the data module before it loads anything.

    Raises:
        ValueError: The configuration cannot be run; before alignment has taken its time.
        WireError: The parties do not come together, or one is lost.
    """
    check_settings(config, party)
    check_wire(config, party)
    check_loggers(config)
    threads.use(config.threads)
    pl.seed_everything(config.seed, verbose=False)
    architecture = build(config.architecture)
    resolve(build(config.cut), list(architecture.stages(1)), len(config.topology.owners))
    data = load(config, party, begin)
    check_metrics(config, data)
    if party is None:
        check_members(config, next(iter(data.tables.values()), {}))
    with together(config, data, party, rendezvous) as session:
        config = config if session is None else agree(config, session)
        trainer = build_trainer(config, session)
        align(data)
        use_threads(config, architecture, data)
        failed = True
        try:
            yield Assembled(config, trainer, build_module(config, architecture, data, session), data)
            failed = False
        finally:
            close(trainer, failed)


def load(
    config: DictConfig, party: str | None, begin: Callable[[VerticalDataModule], None] | None = None
) -> VerticalDataModule:
    """Load, and say who holds what."""
    begin = begin or (lambda data: None)
    if party is None:
        data = recall(config.datamodule)
        begin(data)
        data.load()
        if job.in_sweep():
            remember(config.datamodule, data)
    else:
        node = config.datamodule.copy()
        with open_dict(node):
            node._target_, node.party = "vertical_lightning.data.party_data.PartyDataModule", party
        data = build(node)
        begin(data)
        data.load()
    print(report.holdings(data.tables), flush=True)
    return data


def align(data: VerticalDataModule) -> None:
    """Align and scale, and say who learned what."""
    data.align()
    print(report.alignment(data.alignments), flush=True)
    data.setup("fit")
    if told := report.scaling(data.preparations.remarks):
        print(told, flush=True)


def together(
    config: DictConfig, data: VerticalDataModule, party: str | None, rendezvous: str
) -> AbstractContextManager[Session | None]:
    """Meet the other parties, if they are in processes of their own."""
    if party is None:
        return nullcontext()
    assert isinstance(data, PartyDataModule)
    owners = list(config.topology.owners)
    session = Session(party, data.named, owners, config.label_holder, rendezvous, build(config.wire))
    data.others = session
    return session


def agree(config: DictConfig, session: Session) -> DictConfig:
    """Make sure that all parties mean the same run and go on from one step, and take over how long the label holder trains."""
    session.agree("the run", **handshake.facts(config))
    said = session.gather("the schedule", schedule=handshake.schedule(config), run=session.run)[session.label_holder]
    session.run = said["run"]
    config = handshake.follow(config, said["schedule"])
    config.ckpt_path = newest_common(session, config.ckpt_path)
    return config


def build_trainer(config: DictConfig, session: Session | None) -> pl.Trainer:
    """Build the trainer with its loggers and callbacks."""
    if kept(config, job.in_sweep()) == "none":
        with open_dict(config.trainer):
            config.trainer.enable_checkpointing = False
    wanted = {"enable_progress_bar": ProgressBar, "enable_checkpointing": Checkpoint}
    refused = tuple(kind for name, kind in wanted.items() if config.trainer.get(name) is False)
    callbacks = [one for one in build(config.get("callbacks") or {}).values() if not isinstance(one, refused)]
    here = None if session is None else [session.party]
    checkpoints = PartyCheckpoints(here, build(config.party_seed), run="" if session is None else session.run)
    if session is not None:
        config.trainer.pop("enable_checkpointing", None)  # Lightning would refuse whoever follows decisions, too
        callbacks = [*led(callbacks, session, checkpoints), Measured(session)]
    loggers = list(build(config.get("logger") or {}).values())
    plugins = [*(build(config.trainer.get("plugins")) or []), checkpoints]
    trainer: pl.Trainer = build(config.trainer)(logger=loggers, callbacks=callbacks, plugins=plugins)
    pass_over(trainer.callbacks)  # type: ignore[attr-defined]
    return trainer


def check_wire(config: DictConfig, party: str | None) -> None:
    """Refuse a wire that does not join what is to be joined."""
    local = config.wire._target_ == "vertical_lightning.wire.OneProcess"
    if local != (party is None):
        given = "wire=local joins parties of one process" if local else "this wire joins processes"
        raise ValueError(f"{given}: say parties=local wire=local, or parties=processes with wire=gloo or wire=grpc.")


def use_threads(config: DictConfig, architecture: Architecture, data: VerticalDataModule) -> None:
    """Let torch take as many threads as were asked for, or as the run to go on with had, or as there is work for.

    The number stands in the configuration then: other threads add numbers up in another order, and give other last bits.
    """
    if config.threads is None and config.ckpt_path:
        here = data.party if isinstance(data, PartyDataModule) else None
        config.threads = glance(PartyCheckpoints(here and [here]).files(Path(config.ckpt_path))[0]).get("threads")
    if config.threads is None:
        nobody = build(config.topology)(architecture, data.shapes, data.task.outputs, merge=build(config.merge), here=[])
        config.threads = threads.fitting(operations(nobody, config.batch_size), config.get("most_threads"))
    threads.use(config.threads)


def build_module(
    config: DictConfig, architecture: Architecture, data: VerticalDataModule, session: Session | None = None
) -> SplitModule:
    """Build the network for the shapes that the parties hold, and the module that trains it."""
    here = None if session is None else [session.party]
    network = build(config.topology)(architecture, data.shapes, data.task.outputs, merge=build(config.merge), here=here)
    check_last_batch(network, data)
    if config.weights is not None:
        print(f"{start_from(network, build(config.weights))}\n", flush=True)
    if session is not None:
        session.remote.declare(network.hops, config.batch_size, dtypes(config.trainer.precision))
    return SplitModule(
        network,
        optimizer=by_party(config.optimizer, network.members),
        scheduler=by_party(config.scheduler, network.members, make=schedule),
        clip_norm=build(config.clip_norm),
        accumulate=build(config.accumulate),
        task=data.task,
        crossing=build(config.wire) if session is None else session.remote,
    )
