"""The report as `summary.md`."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from tabulate import tabulate

from vertical_lightning.reports import wording
from vertical_lightning.reports.study import Study
from vertical_lightning.reports.table import Table
from vertical_lightning.reports.unfinished import Unfinished

SHOWN = 3
"""Jobs that are named where many share one reason."""


def as_markdown(study: Study, table: Table, missing: Sequence[Unfinished]) -> str:
    """Write the ranked table, what did not complete, and where it comes from."""
    parts = [f"# {cell(wording.title(study))}", cell(f"{wording.counts(study.jobs)}."), cell(wording.best(study, table))]
    if table.rows:
        parts += [results(table), cell(wording.ranking(study, table))]
    if missing:
        lines = [[group.state, len(group.jobs), group.reason, named(group.names)] for group in missing]
        parts += ["## Not completed", github(["state", "jobs", "reason", "which"], lines)]
    parts.append("## Where it comes from")
    for sweep in study.sweeps:
        # An indented block: nothing in a command can end it.
        parts += [f"    {' '.join(sweep.command.split())}"]
        parts += ["\n".join(f"- {name}: {cell(value)}" for name, value in wording.origin(sweep).items())]
    return "\n\n".join(parts) + "\n"


def results(table: Table) -> str:
    """Write the ranked table."""
    heads = [*table.keys, "n", *(measure.title for measure in table.measures)]
    lines = [[*row.values, row.n, *row.numbers] for row in table.rows]
    if table.has_baselines:
        heads = ["kind", *heads]
        kinds = [f"{row.kind} ({row.mark})" if row.mark else row.kind for row in table.rows]
        lines = [[kind, *line] for kind, line in zip(kinds, lines, strict=True)]
    words = len(table.keys) + table.has_baselines
    return github(heads, lines, ["left"] * words + ["right"] * (len(heads) - words))


def named(jobs: Sequence[str]) -> str:
    """Name a few jobs, and say how many more there are."""
    more = f" and {len(jobs) - SHOWN} more" if len(jobs) > SHOWN else ""
    return "; ".join(jobs[:SHOWN]) + more


def github(heads: Sequence[str], lines: Sequence[Sequence[object]], align: Sequence[str] | None = None) -> str:
    """Lay lines out as GitHub's Markdown does."""
    safe = [[cell(str(value)) for value in line] for line in lines]
    return tabulate(safe, list(map(cell, heads)), tablefmt="github", disable_numparse=True, colalign=align)


def cell(text: str) -> str:
    """Take from a text what would end its cell or begin a tag."""
    return escape(" ".join(text.split()), quote=False).replace("|", "\\|").replace("`", "'")
