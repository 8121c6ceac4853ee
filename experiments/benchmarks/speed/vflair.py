"""Beside VFLAIR (ICLR 2024): the same network and rows, one thread, seconds an epoch and memory.

VL_DATA=PATH python experiments/benchmarks/speed/vflair.py VFLAIR/src [--python PYTHON] [--batch-sizes 128 1024] [--rounds 3]

For whoever has VFLAIR's sources and what they need (TensorFlow too); nothing of them is in this repository.
Upper and lower halves of MNIST at two parties, a perceptron 392-32-10 each, the sum of both as logits: its MLP2 without a
trainable head, under its Adam. Seconds are the difference of a long and a short run, so that loading does not count.
VFLAIR's epochs end with the 10,000 rows of the test set, ours do not. It appends its results to VFLAIR/src/exp_result.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import NamedTuple

SHORT, THEIR_LONG, OUR_LONG = 1, 11, 51  # epochs; ours are so short that a few would drown in the noise of a process's start
ONE = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}


class Run(NamedTuple):
    """What a process took.

    Args:
        seconds: From its start to its end.
        mebibytes: Its memory at the most.
    """

    seconds: float
    mebibytes: float


def theirs(sources: Path, python: str, home: Path, batch_size: int, epochs: int) -> Run:
    """Run VFLAIR's pipeline for some epochs; it looks for its configuration in its folder, and for MNIST in ~/.torch."""
    file = sources / "configs" / "beside_vertical_lightning.json"
    file.write_text(json.dumps(settings(batch_size, epochs)))
    try:
        command = [python, "main_pipeline.py", "--device", "cpu", "--configs", file.stem]
        return measured(command, sources, {"HOME": str(home)})
    finally:
        file.unlink()


def settings(batch_size: int, epochs: int) -> dict[str, object]:
    """Configure VFLAIR; its versions with language models want `pretrained`, `head_layer_trainable`, `task` and `tokenizer`."""
    party = {"type": "MLP2", "input_dim": 392, "output_dim": 10, "path": "random_14*28_10"}
    party |= {"pretrained": 0, "head_layer_trainable": 0}
    head = {"task": {}, "apply_trainable_layer": 0, "global_model": "ClassificationModelHostHead"}
    return {
        "epochs": epochs,
        "lr": 0.01,
        "k": 2,
        "batch_size": batch_size,
        "communication": {"communication_protocol": "FedSGD"},
        "tokenizer": {"padding": "do_not_pad"},
        "dataset": {"dataset_name": "mnist", "num_classes": 10},
        "model_list": {"0": party, "1": party, **head},
    }


def ours(batch_size: int, epochs: int) -> Run:
    """Run the same as an aggregate of two bottoms."""
    words = ["data=mnist", "partition=halves", "partition.axis=horizontal", "topology=aggregate", "architecture.hidden=[32]"]
    words += ["optimizer=adam", "optimizer.lr=0.01", "threads=1", "trainer.accelerator=cpu", "datamodule.val_fraction=0.0"]
    words += [f"batch_size={batch_size}", f"trainer.max_epochs={epochs}"]
    with tempfile.TemporaryDirectory() as folder:
        return measured(["vl-train", *words, f"hydra.run.dir={folder}"], Path.cwd(), {})


def measured(command: list[str], folder: Path, environment: dict[str, str]) -> Run:
    """Run a command to its end, which must be a good one."""
    began = time.perf_counter()
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, env=os.environ | ONE | environment)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return Run(time.perf_counter() - began, usage.ru_maxrss / 1024)


def epoch(run: Callable[[int], Run], longest: int) -> Run:
    """Return an epoch's seconds, and the long run's memory."""
    short, long = run(SHORT), run(longest)
    return Run((long.seconds - short.seconds) / (longest - SHORT), long.mebibytes)


def beside(their: Callable[[int], Run], our: Callable[[int], Run], rounds: int) -> str:
    """Let both take turns, once unmeasured for what they keep in caches, ours the alignment; return what came out."""
    for run in (their, our):
        run(SHORT)
    pairs = [(epoch(their, THEIR_LONG), epoch(our, OUR_LONG)) for _ in range(rounds)]
    ratios = sorted(theirs.seconds / ours.seconds for theirs, ours in pairs)
    each = [
        f"{name} {median(run.seconds for run in runs):.2f} s an epoch and {max(run.mebibytes for run in runs):,.0f} MiB"
        for name, runs in zip(("VFLAIR", "ours"), zip(*pairs, strict=True), strict=True)
    ]
    return f"{', '.join(each)}: {median(ratios):.1f} times ({ratios[0]:.1f} to {ratios[-1]:.1f})"


def main() -> None:
    """Print both, for each batch size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", type=Path)
    parser.add_argument("--python", default=sys.executable, help="the one that has what VFLAIR needs")
    parser.add_argument("--batch-sizes", type=int, nargs="+", default=[128, 1024])
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / ".torch").symlink_to(Path(os.environ.get("VL_DATA", "data")).resolve())
        for size in arguments.batch_sizes:
            their = partial(theirs, arguments.sources, arguments.python, home, size)
            print(f"{size} rows: {beside(their, partial(ours, size), arguments.rounds)}", flush=True)


if __name__ == "__main__":
    main()
