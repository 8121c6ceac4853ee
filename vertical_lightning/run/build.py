"""From a configuration to all that runs: one typed pass, on one page. What comes after it knows no configuration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytorch_lightning as pl
from hydra.utils import get_class
from omegaconf import DictConfig

from vertical_lightning.config import agreement
from vertical_lightning.config.best import best_of
from vertical_lightning.config.choices import check_cut
from vertical_lightning.config.compose import as_text, build, in_sweep
from vertical_lightning.config.hparams import hyper_parameters
from vertical_lightning.config.objective import check_metrics
from vertical_lightning.config.settings import check_loggers, check_members, check_settings
from vertical_lightning.data.datamodule import VerticalDataModule
from vertical_lightning.data.party_data import PartyDataModule
from vertical_lightning.data.preparations import Scored
from vertical_lightning.distributed.common_step import newest_common
from vertical_lightning.distributed.session import Session
from vertical_lightning.distributed.transport.messages import DURATION
from vertical_lightning.run import summary, table_cache, threads
from vertical_lightning.run.build_parts import build_module, build_trainer, use_threads
from vertical_lightning.split.loggers import close
from vertical_lightning.split.split_module import SplitModule
from vertical_lightning.split.view import Attack


@dataclass(frozen=True)
class Experiment:
    """All that runs, as all parties agreed on it.

    Attributes:
        data: Aligned and scaled.
        module: The network, and how it is trained.
        trainer: With its loggers and callbacks.
        attacks: By name, what is tried on the finished run.
        folder: Where the run leaves its record.
        ckpt_path: What to go on from.
        best: The checkpoint that is tested; None for the last step.
        hparams: What tells runs apart.
        text: The configuration as others may see it.
        alone: Whether one party only is in this process.
    """

    data: VerticalDataModule
    module: SplitModule
    trainer: pl.Trainer
    attacks: Mapping[str, Attack]
    folder: Path
    ckpt_path: str | None
    best: Path | None
    hparams: Mapping[str, str | float]
    text: str
    alone: bool


@contextmanager
def experiment(
    config: DictConfig, party: str | None = None, rendezvous: str = "", scored: Scored | None = None
) -> Iterator[Experiment]:
    """Load, meet the other parties if they are in processes of their own, align, and build what runs.

    Leaving the context says goodbye to them, or whose error ended the run.

    Args:
        config: The whole configuration.
        party: The party that runs in this process; None for all.
        rendezvous: Where the others find the label holder's process, `host:port`.
        scored: What a finished run's parties prepared, and which rows are to be scored; None to train.

    Raises:
        ValueError: The configuration cannot be run; before alignment has taken its time.
        WireError: The parties do not come together, or one is lost.
    """
    check(config, party)
    threads.use(config.threads)
    pl.seed_everything(config.seed, verbose=False)
    data = load(config, party, scored)
    with ExitStack() as ends:
        session = None
        if isinstance(data, PartyDataModule):
            session = ends.enter_context(meet(config, data, rendezvous))
            config = agree(config, session)
        trainer = build_trainer(config, session)
        align(data)
        use_threads(config, data)
        ends.push(lambda kind, error, trace: close(trainer, error is not None))
        yield Experiment(
            data=data,
            module=build_module(config, data, session),
            trainer=trainer,
            attacks=build(config.attack),
            folder=Path(config.folder),
            ckpt_path=config.ckpt_path,
            best=best_of(config),
            hparams=hyper_parameters(config),
            text=as_text(config, secret=party is not None),
            alone=party is not None,
        )


def check(config: DictConfig, party: str | None) -> None:
    """Refuse what can be refused before anything is loaded."""
    check_settings(config, party)
    check_loggers(config)
    check_cut(config)


def load(config: DictConfig, party: str | None, scored: Scored | None) -> VerticalDataModule:
    """Load the tables, and print which party holds what."""
    if party is None and scored is None:
        data = table_cache.get(config.datamodule)
        data.load()
        if in_sweep():
            table_cache.put(config.datamodule, data)
    else:
        kind: type[VerticalDataModule] = get_class(config.datamodule["_target_"])
        settings = {str(key): build(value) for key, value in config.datamodule.items() if key != "_target_"}
        data = kind(**settings, scored=scored) if party is None else kind.of_party()(**settings, scored=scored, party=party)
        data.load()
    print(summary.holdings(data.tables), flush=True)
    check_metrics(config, data)
    if party is None:
        check_members(config, next(iter(data.tables.values()), {}))
    return data


def meet(config: DictConfig, data: PartyDataModule, rendezvous: str) -> Session:
    """Meet the other parties."""
    if not config.execution:
        raise ValueError("execution=local joins parties of one process; say execution=grpc, or execution=gloo, at all parties.")
    owners, backend = list(config.topology.owners), build(config.execution)
    session = Session(data.party, data.named, owners, config.label_holder, rendezvous, backend)
    data.meet(session)
    return session


def agree(config: DictConfig, session: Session) -> DictConfig:
    """Make sure that all parties mean the same run and go on from one step, and take over how long the label holder trains."""
    session.agree("the run", **agreement.facts(config))
    own = agreement.duration(config, DURATION)
    said = session.gather("how long to train", duration=own, run=session.run)[session.label_holder]
    session.run = said["run"]
    config = agreement.follow(config, said["duration"], DURATION)
    config.ckpt_path = newest_common(session, config.ckpt_path)
    return config


def align(data: VerticalDataModule) -> None:
    """Align and scale, and say who learned what."""
    data.align()
    print(summary.alignment(data.alignments), flush=True)
    data.setup("fit")
    if told := summary.scaling(data.preparations.remarks):
        print(told, flush=True)
