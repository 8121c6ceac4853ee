"""The command `vl-cuts`: what every legal cut of an architecture would cost, before anything is trained."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

import hydra
from omegaconf import DictConfig

from vertical_lightning.config.compose import allow_party_overrides, build, config_folder, import_from_here, user_errors

if TYPE_CHECKING:
    from torch import Tensor

    from vertical_lightning.data.party_source import PartyTables
    from vertical_lightning.schema import PartyTable
    from vertical_lightning.split.cost import Cost

BATCH = 128
"""Rows of the batch that embeddings are measured on."""

CSV = "VL_CUTS_CSV"


def main() -> None:
    """Take `--csv`, which Hydra does not know, off the command line, and run."""
    import_from_here()
    os.environ[CSV] = "1" if "--csv" in sys.argv else ""
    sys.argv[1:] = allow_party_overrides([word for word in sys.argv[1:] if word != "--csv"])
    cuts()


@hydra.main(version_base="1.3", config_path=config_folder(), config_name="cuts")
def cuts(config: DictConfig) -> None:
    """Print one line a cut."""
    with user_errors():
        held, rows, real = build(config.datamodule.holdings).example(config.label_holder, BATCH)
        costs = survey(config, held)
    from vertical_lightning.split.cost import as_csv, as_text

    if os.environ[CSV]:
        print(as_csv(costs, rows), end="")
        return
    print(as_text(costs, rows))
    if not real:
        print("The data set is not on this disk: distance correlation is that of noise; all else is as it would be.")


def survey(config: DictConfig, held: PartyTables) -> list[Cost]:
    """Build the network once a cut and measure one batch.

    Raises:
        ValueError: If no cut fits the topology.
    """
    from vertical_lightning.config.choices import architectures, common_cut
    from vertical_lightning.data.partitions.common import check_parts
    from vertical_lightning.split.cost import measure
    from vertical_lightning.split.cut import legal

    [parts] = held.tables.values()
    check_parts(parts)
    (architecture, own), outputs = architectures(config), len(held.classes) or 1  # one for a number
    names = list(architecture.stages(outputs))
    numbers = legal(names, len(config.topology.owners))
    if not numbers:
        raise ValueError(
            f"topology.owners={list(config.topology.owners)} leaves nothing to choose among the stages {', '.join(names)}."
        )
    features = blocks(config, parts)
    shapes = {party: tuple(block.shape[1:]) for party, block in features.items()}
    topology, merge, codec = build(config.topology), build(config.merge), build(config.codec) or None
    networks = {
        number: topology(architecture, shapes, outputs, merge=merge, own=own, codec=codec, cut=common_cut(config, own, number))
        for number in numbers
    }
    return [measure(number, names[number - 1], network, features) for number, network in networks.items()]


def blocks(config: DictConfig, parts: Mapping[str, PartyTable]) -> dict[str, Tensor]:
    """Scale what each party holds as the data module would; return the first rows of each feature party's block."""
    import torch

    from vertical_lightning.data.preprocessing import preprocessor
    from vertical_lightning.schema import take
    from vertical_lightning.split.per_party import per_party

    (low, high), parties = config.datamodule.image_range, list(parts)
    scaling = per_party("datamodule.scaling", build(config.datamodule.scaling), parties)
    first = torch.arange(min(BATCH, *map(len, parts.values())))
    return {
        party: preprocessor(part.features, part.kind, scaling.get(party), (low, high)).transform(take(part.features, first))
        for party, part in parts.items()
        if part.features is not None
    }
