"""Is training from the parties' own files the same as training from the built-in data set they were written from?

python experiments/own_files/compare.py [--seeds 0 1 2] [--format csv|parquet] [OVERRIDE …]

Writes the credit data as one file a party (`vl-partition`), trains on the built-in source and on the files, and prints the
area under the ROC curve on the test rows.
"""

from __future__ import annotations

import argparse
import json
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from tabulate import tabulate
from tqdm import tqdm


def command(module: str, *words: str) -> str:
    """Run a command of the package and return what it printed."""
    line = [sys.executable, "-m", f"vertical_lightning.commands.{module}", *words]
    return subprocess.run(line, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout


def trained(folder: Path, *words: str) -> dict[str, float]:
    """Train, and return the metrics."""
    command("train", *words, "trainer.accelerator=cpu", f"hydra.run.dir={folder}")
    metrics: dict[str, float] = json.loads((folder / "metrics.json").read_text())
    return metrics


def compare(seed: int, form: str, words: list[str], folder: Path) -> list[object]:
    """Train both ways with one seed."""
    printed = command("partition", "data=credit", f"seed={seed}", f"out={folder / 'parties'}", f"format={form}")
    words_of_files = shlex.split(printed[printed.index("vl-train") :].replace("\\\n", " "))[1:]
    built_in = trained(folder / "built_in", "data=credit", f"seed={seed}", *words)
    own = trained(folder / "own", *words_of_files, f"seed={seed}", *words)
    scores = [built_in["test/auroc"], own["test/auroc"]]
    return [seed, int(built_in["psi/intersection"]), int(own["psi/intersection"]), *scores, scores[1] - scores[0]]


def main() -> None:
    """Compare seed by seed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2])
    parser.add_argument("--format", default="csv")
    arguments, words = parser.parse_known_args()
    lines = []
    for seed in tqdm(arguments.seeds, desc="seeds"):
        with tempfile.TemporaryDirectory() as folder:
            lines.append(compare(seed, arguments.format, words, Path(folder)))
    heads = ["seed", "common rows, built-in", "files", "test AUC, built-in", "files", "difference"]
    print(tabulate(lines, heads, tablefmt="github", floatfmt=".4f"))
    assert all(abs(float(str(line[-1]))) <= 0.01 for line in lines), "the two ways differ"


if __name__ == "__main__":
    main()
