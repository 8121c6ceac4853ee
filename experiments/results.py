"""docs/results.md from what the studies expect and what they found.

python experiments/results.py        # writes docs/results.md

Every experiment with an `expected:` block in its yaml has a line a metric. What was found is the mean over the completed jobs
of the study's committed `summary.csv` which have the values under `where`, with the 95 % interval of Student's t.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import mean, stdev
from typing import Any, NamedTuple

import yaml
from scipy.stats import t
from tabulate import tabulate

ROOT = Path(__file__).parents[1]
EXPERIMENTS = ROOT / "conf" / "experiment"


class Claim(NamedTuple):
    """One expected number, and what was found."""

    study: str
    metric: str
    where: Mapping[str, Any]
    value: float
    tolerance: float
    source: str
    published: float | None
    because: str | None
    found: list[float]

    @property
    def holds(self) -> bool:
        """Whether the mean of what was found is the expected one."""
        return abs(mean(self.found) - self.value) <= self.tolerance

    @property
    def verdict(self) -> str:
        """Say whether the published number is reproduced: it lies within the tolerance of the mean."""
        if self.published is None:
            return "as expected" if self.holds else "not as expected"
        if abs(mean(self.found) - self.published) <= self.tolerance:
            return "**reproduced**"
        return f"**not reproduced**, because {self.because}" if self.because else "**not reproduced**"


def claims() -> Iterator[Claim]:
    """Read all experiments."""
    for path in sorted(EXPERIMENTS.glob("*.yaml")):
        for entry in yaml.safe_load(path.read_text()).get("expected") or ():
            where = entry.get("where", {})
            found = [float(row[entry["metric"]]) for row in rows(path.stem) if fits(row, where, path.stem)]
            fields = {name: entry.get(name) for name in ("metric", "value", "tolerance", "source", "published", "because")}
            yield Claim(study=path.stem, where=where, found=found, **fields)


def folder(name: str) -> Path:
    """Find an experiment's study; variants lie with the one whose name theirs begins with."""
    words = name.split("_")
    places = [ROOT / "experiments" / "_".join(words[:count]) for count in range(len(words), 0, -1)]
    return next(place for place in places if (place / "summary.csv").is_file())


def rows(name: str) -> list[dict[str, str]]:
    """Read the completed jobs of a study."""
    with (folder(name) / "summary.csv").open() as file:
        return [row for row in csv.DictReader(file) if row["state"] == "completed"]


def fits(row: Mapping[str, str], where: Mapping[str, Any], name: str) -> bool:
    """Whether a job is one that an entry is about; a baseline is none unless it is named."""
    wanted = {"baseline": "", **{key: str(value) for key, value in where.items()}}
    if "experiment" in row:
        wanted["experiment"] = name
    return all(row.get(key, "") == value for key, value in wanted.items())


def interval(found: list[float]) -> str:
    """Write mean ± half the 95 % interval, and of how many."""
    if len(set(found)) == 1:
        return f"{found[0]:,.4g} (n = {len(found)})" if found[0] < 1e4 else f"{found[0]:,.0f} (n = {len(found)})"
    half = t.ppf(0.975, len(found) - 1) * stdev(found) / len(found) ** 0.5
    return f"{mean(found):.4f} ± {half:.4f} (n = {len(found)})"


def number(value: float | None) -> str:
    """Write a published number."""
    return "–" if value is None else f"{value:,}"


def page() -> str:
    """Write the page."""
    lines = []
    for claim in claims():
        provenance = json.loads((folder(claim.study) / "study.json").read_text())
        place = f"../experiments/{folder(claim.study).name}/README.md"
        told = ", ".join(f"{key}={value}" for key, value in claim.where.items())
        lines.append(
            {
                "study": f"[{claim.study}]({place})",
                "metric": f"`{claim.metric}`{f', {told}' if told else ''}",
                "published": f"{number(claim.published)} ({claim.source})" if claim.published else claim.source,
                "here": interval(claim.found),
                "verdict": claim.verdict,
                "commit, date": f"`{(provenance['commit'] or 'unknown')[:7]}`, {provenance['started'][:10]}",
            }
        )
    table = tabulate(lines, headers="keys", tablefmt="github", disable_numparse=True)
    return f"{HEAD}\n{table}\n\n{COMMANDS}\n{commands()}\n```\n"


HEAD = """# Results

What was published, what came out here, and whether that is the same. A number is *reproduced* if it lies within the study's
tolerance of our mean over seeds; the interval is the 95 % one of Student's t. The page is made by
`python experiments/results.py` from each experiment's `expected:` block and each study's committed `summary.csv`; a test
holds both to it.
"""
COMMANDS = """## Commands

`data.root` or the environment variable `VL_DATA` says where downloads lie.

```"""


def commands() -> str:
    """Write each study's own command, as its yaml names it."""
    found = []
    for path in sorted({path for path in EXPERIMENTS.glob("*.yaml") if "expected:" in path.read_text()}):
        found += [line[2:] for line in path.read_text().splitlines() if line.startswith("# ") and "vl-train " in line]
    return "\n".join(found)


if __name__ == "__main__":
    text = page()
    (ROOT / "docs" / "results.md").write_text(text)
    sys.stdout.write(text)
