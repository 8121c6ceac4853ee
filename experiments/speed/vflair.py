"""Beside VFLAIR (ICLR 2024): the same network and rows, one thread, seconds an epoch and memory.

VL_DATA=PATH python experiments/speed/vflair.py VFLAIR/src [--batch-sizes 128 1024]

For whoever has VFLAIR's sources and what they need, in the environment that runs this; nothing of them is in this repository.
Left and right halves of MNIST at two parties, a two-layer perceptron each that ends in ten numbers, their sum as logits: its
MLP2 without a trainable head. Seconds are the difference of a long and a short run, so that loading does not count.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SHORT, LONG = 1, 4
ONE = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}


def theirs(sources: Path, batch_size: int, epochs: int) -> float:
    """Run VFLAIR's pipeline for some epochs; return seconds."""
    party = {"type": "MLP2", "path": "random_14*28_10"}
    settings = {
        "epochs": epochs,
        "lr": 0.01,
        "k": 2,
        "batch_size": batch_size,
        "dataset": {"dataset_name": "mnist", "num_classes": 10},
        "model_list": {"0": party, "1": party, "apply_trainable_layer": 0, "global_model": "ClassificationModelHostHead"},
    }
    file = sources / "configs" / "beside_vertical_lightning.json"
    file.write_text(json.dumps(settings))
    try:
        return timed([sys.executable, "main_pipeline.py", "--device", "cpu", "--configs", file.stem], sources)
    finally:
        file.unlink()


def ours(batch_size: int, epochs: int) -> float:
    """Run the same as an aggregate of two bottoms; return seconds."""
    words = ["data=mnist", "partition=halves", "topology=aggregate", "architecture.hidden=[32]", "optimizer=sgd", "threads=1"]
    words += [
        f"batch_size={batch_size}",
        f"trainer.max_epochs={epochs}",
        "trainer.accelerator=cpu",
        "datamodule.val_fraction=0.0",
    ]
    with tempfile.TemporaryDirectory() as folder:
        return timed(["vl-train", *words, f"hydra.run.dir={folder}"], Path.cwd())


def timed(command: list[str], folder: Path) -> float:
    """Run a command to its end."""
    began = time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL, env=os.environ | ONE)
    return time.perf_counter() - began


def main() -> None:
    """Let both take turns, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", type=Path)
    parser.add_argument("--batch-sizes", type=int, nargs="+", default=[128, 1024])
    arguments = parser.parse_args()
    for size in arguments.batch_sizes:
        their = [theirs(arguments.sources, size, epochs) for epochs in (SHORT, LONG)]
        own = [ours(size, epochs) for epochs in (SHORT, LONG)]
        their_epoch, own_epoch = ((long - short) / (LONG - SHORT) for short, long in (their, own))
        print(f"{size} rows: VFLAIR {their_epoch:.2f} s an epoch, ours {own_epoch:.2f}: {their_epoch / own_epoch:.1f} times")
    print(f"largest process so far: {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024:,.0f} MiB")


if __name__ == "__main__":
    main()
