"""From a configuration to aligned data, a split module and a trainer: what every command that runs a network begins with."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import pytorch_lightning as pl
from omegaconf import DictConfig, OmegaConf, open_dict
from pytorch_lightning.callbacks import Checkpoint

from vertical_lightning import report
from vertical_lightning.checkpoints import PartyCheckpoints
from vertical_lightning.configuration import build
from vertical_lightning.data.datamodule import VerticalDataModule
from vertical_lightning.data.party_data import PartyDataModule
from vertical_lightning.empty_hooks import pass_over
from vertical_lightning.memory import recall, remember
from vertical_lightning.parties import handshake
from vertical_lightning.parties.decisions import led
from vertical_lightning.parties.going_on import newest_common
from vertical_lightning.parties.measured import Measured
from vertical_lightning.parties.session import Session
from vertical_lightning.per_party import check_parties
from vertical_lightning.precision import check_precision, dtypes
from vertical_lightning.schema import Architecture
from vertical_lightning.split_module import SplitModule
from vertical_lightning.sweep import job, threads
from vertical_lightning.topologies.cut import resolve


class Assembled(NamedTuple):
    """All that runs, and the configuration as all parties agreed on it."""

    config: DictConfig
    trainer: pl.Trainer
    module: SplitModule
    data: VerticalDataModule


@contextmanager
def assembled(config: DictConfig, party: str | None = None, rendezvous: str = "") -> Iterator[Assembled]:
    """Load, meet the other parties if they are in processes of their own, align, and build what runs.

    Leaving the context says goodbye to them, or whose error ended the run.

    Args:
        config: The whole configuration.
        party: The party that runs in this process; None for all.
        rendezvous: Where the others find the label holder's process, `host:port`.

    Raises:
        ValueError: The configuration cannot be run; before alignment has taken its time.
        WireError: The parties do not come together, or one is lost.
    """
    warnings.filterwarnings("ignore", message=".*LeafSpec.*")  # Lightning 2.6 with torch 2.15
    check_settings(config, party)
    check_wire(config, party)
    threads.use(config.threads)
    pl.seed_everything(config.seed, verbose=False)
    architecture = build(config.architecture)
    resolve(build(config.cut), list(architecture.stages(1)), len(config.topology.owners))
    data = load(config, party)
    with together(config, data, party, rendezvous) as session:
        config = config if session is None else agree(config, session)
        trainer = build_trainer(config, session)
        align(data)
        yield Assembled(config, trainer, build_module(config, architecture, data, session), data)


def load(config: DictConfig, party: str | None) -> VerticalDataModule:
    """Load, and say who holds what."""
    if party is None:
        data = recall(config.datamodule)
        data.load()
        if job.in_sweep():
            remember(config.datamodule, data)
    else:
        node = config.datamodule.copy()
        with open_dict(node):
            node._target_, node.party = "vertical_lightning.data.party_data.PartyDataModule", party
        data = build(node)
        data.load()
    print(report.holdings(data.tables), flush=True)
    return data


def align(data: VerticalDataModule) -> None:
    """Align and scale, and say who learned what."""
    data.align()
    print(report.alignment(data.alignments), flush=True)
    data.setup("fit")


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
    callbacks = list(build(config.get("callbacks") or {}).values())
    here = None if session is None else [session.party]
    checkpoints = PartyCheckpoints(here, build(config.party_seed), run="" if session is None else session.run)
    if session is not None:
        if not config.trainer.pop("enable_checkpointing", True):  # Lightning would refuse whoever follows decisions, too
            callbacks = [one for one in callbacks if not isinstance(one, Checkpoint)]
        callbacks = [*led(callbacks, session, checkpoints), Measured(session)]
    loggers = list(build(config.get("logger") or {}).values())
    plugins = [*(build(config.trainer.get("plugins")) or []), checkpoints]
    trainer: pl.Trainer = build(config.trainer)(logger=loggers, callbacks=callbacks, plugins=plugins)
    pass_over(trainer.callbacks)  # type: ignore[attr-defined]
    return trainer


def check_settings(config: DictConfig, party: str | None) -> None:
    """Refuse settings that would only fail, or mislead, after alignment has taken its time."""
    check_precision(config.trainer.precision)  # on a CPU Lightning would turn fp16 into bf16 before the module sees it
    if not isinstance(config.seed, int):
        raise ValueError(f"seed={config.seed} is no integer; a run without a seed cannot be repeated.")
    if not isinstance(config.batch_size, int) or config.batch_size < 1:
        raise ValueError(f"batch_size={config.batch_size} is no number of rows; give an integer from 1 to the aligned rows.")
    if config.ckpt_path:
        PartyCheckpoints(None if party is None else [party]).files(Path(config.ckpt_path))
    if party is not None and config.trainer.get("max_time") is not None:
        raise ValueError("trainer.max_time ends by each party's own clock; between processes give max_epochs or max_steps.")
    if config.threads is not None and (not isinstance(config.threads, int) or config.threads < 1):
        raise ValueError(f"threads={config.threads} is no number of threads; give an integer from 1, or null for all cores.")
    if config.trainer.devices not in (1, "1", "auto"):
        raise ValueError(f"trainer.devices={config.trainer.devices} is not supported yet: all parties train on one device.")


def check_wire(config: DictConfig, party: str | None) -> None:
    """Refuse a wire that does not join what is to be joined."""
    local = config.wire._target_ == "vertical_lightning.wire.OneProcess"
    if local != (party is None):
        given = "wire=local joins parties of one process" if local else "this wire joins processes"
        raise ValueError(f"{given}: say parties=local wire=local, or parties=processes with wire=gloo or wire=grpc.")


def build_module(
    config: DictConfig, architecture: Architecture, data: VerticalDataModule, session: Session | None = None
) -> SplitModule:
    """Build the network for the shapes that the parties hold, and the module that trains it."""
    here = None if session is None else [session.party]
    network = build(config.topology)(architecture, data.shapes, data.task.outputs, merge=build(config.merge), here=here)
    if session is not None:
        session.remote.declare(network.hops, config.batch_size, dtypes(config.trainer.precision))
    return SplitModule(
        network,
        optimizer=by_party(config.optimizer, network.members),
        scheduler=by_party(config.scheduler, network.members),
        clip_norm=build(config.clip_norm),
        task=data.task,
        crossing=build(config.wire) if session is None else session.remote,
    )


def by_party(choice: DictConfig, parties: Sequence[str]) -> dict[str, Any]:
    """Build a choice for every party, with the party's own differences (`choice.parties.NAME.…`) laid over it."""
    differences = choice.get("parties") or {}
    check_parties("a setting of its own", differences, parties)
    common = {key: value for key, value in choice.items() if key != "parties"}
    made = {party: build(OmegaConf.merge(common, differences.get(party, {}))) for party in parties}
    return {party: one for party, one in made.items() if one}
