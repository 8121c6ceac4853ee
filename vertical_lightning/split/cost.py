"""What one cut costs: embeddings, parameters, FLOPs, bytes, seconds on a link, and how much of the input still shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
import torch
from tabulate import tabulate
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from vertical_lightning.split.codec import PLAIN
from vertical_lightning.split.distance_correlation import distance_correlation
from vertical_lightning.split.topology import Topology
from vertical_lightning.split.wire import size

LINKS = (10, 100, 1000)
"""Mbit/s."""


@dataclass(frozen=True)
class Cost:
    """One cut, measured.

    Attributes:
        cut: How many stages the bottoms have.
        stage: The last of them.
        embeddings: Shape of a row on each direction of the wire.
        parameters: By party.
        flops: By party: floating-point operations of the forward pass, per row.
        bytes: By direction, per row of a training step: embeddings forward, gradients back.
        distance_correlation: By feature party: its input with the embedding that it sends.
    """

    cut: int
    stage: str
    embeddings: Mapping[str, Sequence[int]]
    parameters: Mapping[str, int]
    flops: Mapping[str, float]
    bytes: Mapping[str, int]
    distance_correlation: Mapping[str, float]

    def seconds(self, rows: int, megabits: float) -> float:
        """Seconds that an epoch of `rows` rows keeps a link busy which both directions share."""
        return 8 * rows * sum(self.bytes.values()) / (megabits * 1e6)


@torch.no_grad()
def measure(cut: int, stage: str, network: Topology, features: Mapping[str, Tensor]) -> Cost:
    """Run one batch through a network."""
    wire, counter = network.wire(), FlopCounterMode(display=False)
    rows = len(next(iter(features.values())))
    with counter:
        network.eval()(features, wire)
    sizes: Counter[str] = Counter()
    for hop in wire.hops:
        back = wire.codecs.get(hop.ends[1], PLAIN).layout(tuple(hop.received.shape), hop.received.dtype, hop.payload)
        sizes[hop.link] += sum(map(size, (hop.payload or {}).values())) // rows
        sizes[hop.back] += sum(map(size, back.values())) // rows
    return Cost(
        cut=cut,
        stage=stage,
        embeddings={hop.link: tuple(hop.received.shape[1:]) for hop in wire.hops},
        parameters={party: sum(weight.numel() for weight in own.parameters()) for party, own in network.parties.items()},
        flops={party: flops(counter, party) / rows for party in network.parties},
        bytes=sizes,
        distance_correlation={
            hop.sender: distance_correlation(features[hop.sender], hop.received)
            for hop in wire.hops
            if hop.depth == 1 and hop.sender in features
        },
    )


def flops(counter: FlopCounterMode, party: str) -> int:
    """Sum what the counter saw in one party's stages; it counts modules by their path."""
    stages = {path: counts for path, counts in counter.get_flop_counts().items() if path.count(".") == 3}
    return sum(sum(counts.values()) for path, counts in stages.items() if path.split(".")[2] == party)


def as_csv(costs: Sequence[Cost], rows: int) -> str:
    """Write one line a cut, one column a number."""
    lines = []
    for cost in costs:
        line: dict[str, object] = {"cut": cost.cut, "stage": cost.stage}
        line |= {f"embedding/{link}": "x".join(map(str, shape)) for link, shape in cost.embeddings.items()}
        line |= {f"parameters/{party}": count for party, count in cost.parameters.items()}
        line |= {f"flops_per_row/{party}": count for party, count in cost.flops.items()}
        line |= {f"bytes_per_row/{link}": count for link, count in cost.bytes.items()}
        line |= {f"bytes_per_epoch/{link}": count * rows for link, count in cost.bytes.items()}
        line |= {f"seconds_per_epoch/{link}Mbit": cost.seconds(rows, link) for link in LINKS}
        line |= {f"distance_correlation/{party}": value for party, value in cost.distance_correlation.items()}
        lines.append(line)
    return pd.DataFrame(lines).to_csv(index=False)


def as_text(costs: Sequence[Cost], rows: int) -> str:
    """Write a table for the terminal, one line a party or direction within a cut."""
    lines = [
        [
            cost.cut,
            cost.stage,
            "\n".join(f"{link} {' × '.join(map(str, shape))}" for link, shape in cost.embeddings.items()),
            "\n".join(f"{party} {count:,}" for party, count in cost.parameters.items()),
            "\n".join(f"{party} {count / 1e6:.3g} M" for party, count in cost.flops.items()),
            "\n".join(f"{link} {count:,}" for link, count in cost.bytes.items()),
            "\n".join(f"{count * rows / 1e6:,.1f} MB" for count in cost.bytes.values()),
            "\n".join(f"{cost.seconds(rows, link):,.1f} s at {link:,}" for link in LINKS),
            "\n".join(f"{party} {value:.3f}" for party, value in cost.distance_correlation.items()),
        ]
        for cost in costs
    ]
    headers = ["cut", "after", "embedding", "parameters", "FLOPs/row", "bytes/row", "per epoch", "Mbit/s link", "dist. corr."]
    said = f"An epoch has {rows:,} rows. FLOPs are those of the forward pass; both directions share the link."
    return f"{tabulate(lines, headers=headers, tablefmt='grid')}\n{said}"
