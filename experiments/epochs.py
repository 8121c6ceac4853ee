"""Table of a sweep's runs, epoch by epoch, read from their TensorBoard files; `test` is the accuracy at the end.

python experiments/epochs.py SWEEP_FOLDER [--epochs 0 1 2 3]
"""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path

import pandas as pd
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator


def curve(run: Path, tag: str) -> list[float]:
    """Values of one tag, oldest first."""
    events = EventAccumulator(str(run), size_guidance={"scalars": 0})
    events.Reload()
    return [event.value for event in events.Scalars(tag)]


def main() -> None:
    """Print one row a run and epoch, and means over the runs of one name without its number and seed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sweep", type=Path)
    parser.add_argument("--epochs", type=int, nargs="*", help="which epochs; all without it")
    parser.add_argument("--tags", nargs="*", default=["train/accuracy", "train/loss", "wire/bytes"])
    arguments = parser.parse_args()
    rows = []
    for run in sorted(path.parent for path in arguments.sweep.glob("**/metrics.json")):
        curves = {tag: curve(run, tag) for tag in arguments.tags}
        name = re.sub(r"^\d+_|,?seed=\d+", "", run.name) or "run"
        final = json.loads((run / "metrics.json").read_text())["test/accuracy"]
        for epoch, values in enumerate(zip(*curves.values(), strict=True)):
            rows.append(
                {"run": run.name, "name": name, "epoch": epoch, **dict(zip(curves, values, strict=True)), "test": final}
            )
    table = pd.DataFrame(rows)
    if arguments.epochs:
        table = table[table.epoch.isin(arguments.epochs)]
    print(table.drop(columns="name").to_markdown(index=False))
    print()
    print(table.drop(columns="run").groupby(["name", "epoch"]).agg(["mean", "min", "max"]).to_markdown())


if __name__ == "__main__":
    main()
