"""What a run tells its user, as text and as flat metrics."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from textwrap import fill, indent
from typing import TYPE_CHECKING

import pandas as pd
from tabulate import tabulate

from vertical_lightning.data.table_encoding import numeric_columns
from vertical_lightning.schema import Alignment, PartyTable

if TYPE_CHECKING:  # Lightning takes seconds to import, and vl-align does without
    from vertical_lightning.split.split_module import SplitModule
    from vertical_lightning.split.topology import Topology

WIDTH = min(110, shutil.get_terminal_size((110, 24)).columns)
"""Columns of text; of the terminal, if there is one."""

Tables = Mapping[str, Mapping[str, PartyTable]]


def holdings(tables: Tables) -> str:
    """Say who holds what."""
    parties = next(iter(tables.values()), {})
    lines = []
    for party, first in parties.items():
        rows = " + ".join(f"{len(table[party]):,} {name}" for name, table in tables.items())
        held = [what for what in (features(first), labels(first)) if what]
        remarks = [f"{name}: {remark}" for name, table in tables.items() for remark in table[party].remarks]
        lines.append([party, " and ".join(held), f"{rows} rows", "; ".join(remarks)])
    return section("Who holds what", lines)


def features(table: PartyTable) -> str:
    """Describe a party's columns in few words."""
    if table.features is None:
        return ""
    if isinstance(table.features, pd.DataFrame):
        names = [*map(str, table.features.columns[:3]), *(["…"] if table.features.shape[1] > 3 else [])]
        numbers = len(numeric_columns(table.features))
        kinds = {"numbers": numbers, "categories": table.features.shape[1] - numbers}
        told = " and ".join(f"{count} {kind}" for kind, count in kinds.items() if count)
        return f"{told} ({', '.join(names)})"
    return f"blocks of {' × '.join(map(str, table.features.shape[1:]))}"


def labels(table: PartyTable) -> str:
    """Describe a party's labels in few words."""
    if table.labels is None:
        return ""
    if table.labels.ndim == 2:
        return f"{table.labels.shape[1]} labels a row"
    return "labels (numbers)" if table.labels.is_floating_point() else f"labels ({len(set(table.labels.tolist()))} classes)"


def alignment(alignments: Mapping[str, Alignment]) -> str:
    """Report private set intersection: rows in common and dropped, seconds, bytes, and once who learned what."""
    lines = [
        [name, party, f"{rows:,}", f"{len(alignment):,}", f"{rows - len(alignment):,}"]
        for name, alignment in alignments.items()
        for party, rows in alignment.rows.items()
    ]
    text = section("Alignment by private set intersection", lines, ["table", "party", "rows", "in common", "dropped"])
    for name, alignment in alignments.items():
        sent = ", ".join(f"{link} {megabytes(count)}" for link, count in alignment.bytes.items()) or "nothing crossed"
        took = f"{alignment.seconds:.1f} s" + (", from the cache; an earlier run sent" if alignment.cached else ";")
        text += fill(f"{name}: {took} {sent}", WIDTH, initial_indent="  ", subsequent_indent="    ") + "\n"
    for first in list(alignments.values())[:1]:
        alike = "" if len(alignments) == 1 else " Of the other tables they learned the same, with their numbers."
        text += indent(fill(first.statement + alike, WIDTH - 4), "    ") + "\n"
    return text


def statements(alignments: Mapping[str, Alignment]) -> str:
    """Say who learned what by private set intersection, table by table."""
    return "\n\n".join(f"{name}\n{fill(alignment.statement, WIDTH)}" for name, alignment in alignments.items())


def scaling(remarks: Mapping[str, Sequence[str]]) -> str:
    """Say what scaling found in rows that are not for training; empty where all was as in training."""
    lines = [[party, remark] for party, found in remarks.items() for remark in found]
    return section("What training rows lack", lines) if lines else ""


def topology(network: Topology) -> str:
    r"""Draw who runs which stages, and where the wire is crossed.

    >>> from vertical_lightning.architectures.mlp import Mlp
    >>> from vertical_lightning.merges.concat import Concat
    >>> from vertical_lightning.split.topology import Topology
    >>> halves = {"alice": (392,), "carol": (392,)}
    >>> print(topology(Topology(Mlp([64, 500]), halves, 10, "bob", owners=["bob"], cut=1, merge=Concat)))
    alice: fc1 ─►┐
    carol: fc1 ─►┴─ bob: merge fc2 head ── logits, loss
    <BLANKLINE>
    ─► crosses the wire, and gradients come back the same way; ── stays with its owner
    """
    bottoms = [f"{party}: {' '.join(network.bottoms[party])} " for party in network.feature_parties]
    joints = ["┐", *"┤" * (len(bottoms) - 2), "┴─"] if len(bottoms) > 1 else [""]
    lines = []
    for party, bottom, joint in zip(network.feature_parties, bottoms, joints, strict=True):
        line = bottom.ljust(max(map(len, bottoms)) + 1, "─")
        lines.append(f"{line}{'─' if party == network.merger else '►'}{joint}")
    first, *later = [f"{owner}: {' '.join(names)}" for owner, names in network.segments]
    trunk = " ─► ".join([first.replace(":", ": merge", 1).rstrip(), *later])
    return "\n".join(lines) + f" {trunk} ── logits, loss\n\n{LEGEND}"


LEGEND = "─► crosses the wire, and gradients come back the same way; ── stays with its owner"


def alignment_metrics(alignments: Mapping[str, Alignment]) -> dict[str, float]:
    """Sum up alignment; `psi/intersection` counts the training table's rows, or all where there is one table."""
    if not alignments:  # a party without rows took no part
        return {}
    first = alignments["train"] if "train" in alignments else alignments["all"]
    return {
        "psi/intersection": len(first),
        "psi/seconds": sum(alignment.seconds for alignment in alignments.values()),
        "psi/cache_hit": float(all(alignment.cached for alignment in alignments.values())),
        "psi/bytes": sum(sum(alignment.bytes.values()) for alignment in alignments.values()),
    }


def wire_metrics(module: SplitModule) -> dict[str, float]:
    """Sum up bytes, per direction and in all: for training, and for validation and test."""
    return {
        **{f"wire/bytes/{link}": count for link, count in module.wire.bytes.items()},
        "wire/bytes": module.wire.bytes.total(),
        **{f"wire/evaluation_bytes/{link}": count for link, count in module.evaluation_wire.bytes.items()},
        "wire/evaluation_bytes": module.evaluation_wire.bytes.total(),
    }


def results(metrics: Mapping[str, float]) -> str:
    """Lay out the final metrics."""
    phases = [phase for phase in ("train", "val", "test") if f"{phase}/loss" in metrics]
    whole = [metric.split("/") for metric in metrics if not metric.endswith("_step")]
    names = sorted({name for phase, name, *_ in whole if phase in phases})
    scores = [[phase, *(number(metrics.get(f"{phase}/{name}")) for name in names)] for phase in phases]
    crossed = [[name, megabytes(count)] for name, count in metrics.items() if name.startswith(("wire/", "psi/bytes"))]
    attacks = [[name.removeprefix("attack/"), f"{value:.4f}"] for name, value in metrics.items() if name.startswith("attack/")]
    told = f"{section('Attacks', attacks)}\n" if attacks else ""
    took = [[name, f"{metrics[name]:.1f} s"] for name in ("psi/seconds", "time/fit_seconds") if name in metrics]
    return f"{section('Results', scores, ['', *names])}\n{told}{section('Wire and time', crossed + took)}"


def number(value: float | None) -> str:
    """Write a metric, or a dash where there is none."""
    return "–" if value is None else f"{value:.4f}"


def section(title: str, lines: Sequence[Sequence[str]], headers: Sequence[str] = ()) -> str:
    """Lay lines out as a table under a title."""
    table = tabulate(lines, headers=headers, tablefmt="simple" if headers else "plain", disable_numparse=True)
    return f"{title}\n{indent(table, '  ')}\n"


def megabytes(count: float) -> str:
    """Write bytes as megabytes (10⁶ bytes)."""
    return f"{count / 1e6:.2f} MB"
