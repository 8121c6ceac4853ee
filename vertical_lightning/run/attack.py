"""Attacks after a run: what the adversary saw is recorded while it trains, guessed from, and graded."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from copy import deepcopy
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor

from vertical_lightning.data.datamodule import VerticalDataModule
from vertical_lightning.schema import VerticalBatch
from vertical_lightning.split.grade import grade
from vertical_lightning.split.split_module import SplitModule
from vertical_lightning.split.topology import Topology
from vertical_lightning.split.view import Attack, Facts, Knowledge, Seen, View


class Transcripts(pl.Callback):
    """Keeps what crossed some parties' boundaries in the last epoch, in memory.

    Args:
        parties: Whose.

    Attributes:
        of: By party, step by step.
    """

    def __init__(self, parties: Collection[str]) -> None:
        self.of: dict[str, list[Seen]] = {party: [] for party in parties}

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Forget the epoch before."""
        self.of = {party: [] for party in self.of}

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: VerticalBatch, batch_idx: int
    ) -> None:
        """Copy the hops of the batch."""
        assert isinstance(pl_module, SplitModule)
        for party, seen in self.of.items():
            sent: dict[str, Tensor] = {}
            received: dict[str, Tensor] = {}
            for hop in pl_module.wire.hops:
                if party in (hop.sender, hop.receiver):
                    out, back = (sent, received) if party == hop.sender else (received, sent)
                    out |= {hop.link: kept(hop.embedding)} if hop.embedding is not None else {}
                    back |= {hop.back: kept(hop.gradient)} if hop.gradient is not None else {}
            seen.append(Seen(batch.rows.cpu(), sent, received))


def kept(tensor: Tensor) -> Tensor:
    """Copy a tensor to the CPU, without its graph."""
    with torch.no_grad():
        return tensor.cpu().clone()


def check_attacks(attacks: Mapping[str, Attack], network: Topology, outputs: int, alone: bool) -> None:
    """Refuse attacks that could see nothing, before anything is trained.

    Args:
        attacks: By name.
        network: The split network.
        outputs: How many classes there are; 1 for numbers.
        alone: Whether one party only is in this process.

    Raises:
        ValueError: Says which attack, and why.
    """
    for name, attack in attacks.items():
        if alone:
            raise ValueError(f"attack={name} is graded by whoever has all parties in one process: say execution=local.")
        if not any(attack.adversary in hop for hop in network.hops):
            seeing = ", ".join(dict.fromkeys(party for hop in network.hops for party in hop)) or "nobody"
            raise ValueError(f"attack.{name}.adversary={attack.adversary} sees nothing; {seeing} send or receive something.")
        if outputs < 2:
            raise ValueError(f"attack={name} guesses classes, and the labels are numbers: leave attack=none.")


def attacked(
    attacks: Mapping[str, Attack], transcripts: Transcripts, module: SplitModule, data: VerticalDataModule
) -> dict[str, float]:
    """Let every attack guess from its adversary's view, and grade the guesses; metrics `attack/NAME/…`."""
    if not attacks:
        return {}
    train, metrics = data.splits["train"], {}
    truth = train.labels.cpu()
    for name, attack in attacks.items():
        labels = granted(attack.knowledge, train.rows.cpu(), truth)
        guess = attack.guess(view(attack.adversary, transcripts.of[attack.adversary], labels, module, data))
        for what, value in grade(guess, train.rows.cpu(), truth, labels).items():
            metrics[f"attack/{name}/{what}"] = value
    return metrics


def view(party: str, transcript: list[Seen], labels: Mapping[int, int], module: SplitModule, data: VerticalDataModule) -> View:
    """Copy what one party has, and nothing of anybody else."""
    network, train = module.network, data.splits["train"]
    own = train.features.get(party)
    return View(
        party=party,
        rows=train.rows.cpu().clone(),
        features=None if own is None else kept(own),
        stages={name: deepcopy(stage).cpu() for name, stage in network.own(party).items()},
        transcript=transcript,
        facts=Facts(tuple(network.members), network.label_holder, network.outputs, dict(network.hops), network.describe()),
        labels=labels,
    )


def granted(knowledge: Knowledge, rows: Tensor, truth: Tensor) -> dict[int, int]:
    """Draw the rows whose labels the attacker knows; as many of each class as can be.

    Raises:
        ValueError: There are not as many rows.
    """
    if knowledge.labels > len(rows):
        raise ValueError(f"attack.knowledge.labels={knowledge.labels} are more than the {len(rows)} training rows.")
    order = torch.randperm(len(rows), generator=torch.Generator().manual_seed(knowledge.seed))
    turn: dict[int, int] = {}
    ranked = []
    for place in order.tolist():
        label = int(truth[place])
        turn[label] = turn.get(label, 0) + 1
        ranked.append((turn[label], place))
    chosen = [place for _, place in sorted(ranked)[: knowledge.labels]]
    return {int(rows[place]): int(truth[place]) for place in chosen}
