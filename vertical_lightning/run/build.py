"""From a configuration to aligned data, a split module and a trainer: what every command that runs a network begins with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import NamedTuple

import pytorch_lightning as pl
from hydra.utils import get_class
from omegaconf import DictConfig, open_dict
from pytorch_lightning.callbacks import Checkpoint, ProgressBar

from vertical_lightning.config.best import kept
from vertical_lightning.config.choices import architectures, by_party, check_cut, guards, learning_rate_schedule
from vertical_lightning.config.compose import build, in_sweep
from vertical_lightning.config.objective import check_metrics
from vertical_lightning.config.settings import check_loggers, check_members, check_settings
from vertical_lightning.data.datamodule import VerticalDataModule
from vertical_lightning.data.party_data import PartyDataModule
from vertical_lightning.distributed import handshake
from vertical_lightning.distributed.common_step import newest_common
from vertical_lightning.distributed.decisions import coordinated
from vertical_lightning.distributed.link_metrics import LinkMetrics
from vertical_lightning.distributed.session import Session
from vertical_lightning.run import summary, table_cache, threads
from vertical_lightning.run.last_batch import check_last_batch
from vertical_lightning.run.skip_empty_hooks import skip_empty_hooks
from vertical_lightning.split.checkpoint_file import glance
from vertical_lightning.split.checkpoints import PartyCheckpoints
from vertical_lightning.split.codec import PLAIN
from vertical_lightning.split.flops import operations
from vertical_lightning.split.initial_weights import start_from
from vertical_lightning.split.loggers import close
from vertical_lightning.split.precision import dtypes
from vertical_lightning.split.split_module import SplitModule
from vertical_lightning.split.topology import Topology


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
    check_loggers(config)
    threads.use(config.threads)
    pl.seed_everything(config.seed, verbose=False)
    check_cut(config)
    data = load(config, party, begin)
    check_metrics(config, data)
    if party is None:
        check_members(config, next(iter(data.tables.values()), {}))
    with together(config, data, party, rendezvous) as session:
        config = config if session is None else agree(config, session)
        trainer = build_trainer(config, session)
        align(data)
        use_threads(config, data)
        failed = True
        try:
            yield Assembled(config, trainer, build_module(config, data, session), data)
            failed = False
        finally:
            close(trainer, failed)


def load(
    config: DictConfig, party: str | None, begin: Callable[[VerticalDataModule], None] | None = None
) -> VerticalDataModule:
    """Load the tables, and print which party holds what."""
    begin = begin or (lambda data: None)
    if party is None:
        data = table_cache.get(config.datamodule)
        begin(data)
        data.load()
        if in_sweep():
            table_cache.put(config.datamodule, data)
    else:
        kind: type[VerticalDataModule] = get_class(config.datamodule["_target_"])
        settings = {str(key): build(value) for key, value in config.datamodule.items() if key != "_target_"}
        data = kind.of_party()(**settings, party=party)
        begin(data)
        data.load()
    print(summary.holdings(data.tables), flush=True)
    return data


def align(data: VerticalDataModule) -> None:
    """Align and scale, and say who learned what."""
    data.align()
    print(summary.alignment(data.alignments), flush=True)
    data.setup("fit")
    if told := summary.scaling(data.preparations.remarks):
        print(told, flush=True)


def together(
    config: DictConfig, data: VerticalDataModule, party: str | None, rendezvous: str
) -> AbstractContextManager[Session | None]:
    """Meet the other parties, if they are in processes of their own."""
    if party is None:
        return nullcontext()
    if not config.execution:
        raise ValueError("execution=local joins parties of one process; say execution=grpc, or execution=gloo, at all parties.")
    assert isinstance(data, PartyDataModule)
    owners = list(config.topology.owners)
    session = Session(party, data.named, owners, config.label_holder, rendezvous, build(config.execution))
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
    if session is not None:
        codec = build(config.codec)() if config.codec else PLAIN
        session.remote.declare(network.hops, config.batch_size, dtypes(config.trainer.precision), codec)
    return SplitModule(
        network,
        optimizer=by_party(config.optimizer, network.members),
        scheduler=by_party(config.scheduler, network.members, make=learning_rate_schedule),
        clip_norm=build(config.clip_norm),
        accumulate=build(config.accumulate),
        task=data.task,
        transport=None if session is None else session.remote,
        schedule=build(config.schedule),
        metrics=build(config.metrics),
    )
