"""PyVertical's way (OpenMined 2020) on today's torch, beside ours: a DataLoader of single samples for each party, zipped, and a
backward call for each segment. Written anew from the paper's description; needs the full MNIST (VL_DATA).
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torchvision.datasets import MNIST
from torchvision.transforms import ToTensor

from vertical_lightning.config.job_cores import cores

BATCH, LR, EPOCHS = 128, 0.03, 4
Batches = Iterator[tuple[Tensor, Tensor]]


class Part(Dataset[tuple[Any, int]]):
    """A party's part: a value and its id at a time.

    Args:
        rows: How many.
        pick: Returns a row's value.
    """

    def __init__(self, rows: int, pick: Callable[[int], Any]) -> None:
        self.rows, self.pick = rows, pick

    def __len__(self) -> int:
        return self.rows

    def __getitem__(self, index: int) -> tuple[Any, int]:
        return self.pick(index), index


def samples(whole: MNIST) -> Batches:
    """PyVertical's way: two loaders of single samples, zipped."""
    images = Part(len(whole), lambda index: whole[index][0])
    labels = Part(len(whole), lambda index: int(whole.targets[index]))
    for (pixels, _), (digits, _) in zip(DataLoader(images, BATCH), DataLoader(labels, BATCH), strict=True):
        yield pixels.flatten(1), digits


def tensors(whole: MNIST) -> Batches:
    """The same batches, of tensors in memory: what is left is the training step."""
    pixels = whole.data.flatten(1).float() / 255
    yield from zip(pixels.split(BATCH), whole.targets.split(BATCH), strict=True)


class Peer:
    """The published network and loop, an epoch at a time.

    Args:
        root: The folder of MNIST.
        batches: Where rows come from.
    """

    def __init__(self, root: str, batches: Callable[[MNIST], Batches]) -> None:
        torch.manual_seed(0)
        self.whole, self.tested = MNIST(root, train=True, transform=ToTensor()), MNIST(root, train=False)
        self.batches = batches
        self.alice = nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 640), nn.ReLU())
        self.bob = nn.Sequential(nn.Linear(640, 10), nn.LogSoftmax(dim=1))
        self.optimizers = [torch.optim.SGD(part.parameters(), lr=LR) for part in (self.alice, self.bob)]

    def epoch(self, threads: int) -> float:
        """Train an epoch and return its seconds."""
        torch.set_num_threads(threads)
        began, loss = time.perf_counter(), nn.NLLLoss()
        for pixels, digits in self.batches(self.whole):
            for optimizer in self.optimizers:
                optimizer.zero_grad()
            sent = self.alice(pixels)
            received = sent.detach().requires_grad_()
            loss(self.bob(received), digits).backward()
            sent.backward(received.grad)
            for optimizer in self.optimizers:
                optimizer.step()
        return time.perf_counter() - began

    @torch.no_grad()
    def accuracy(self) -> float:
        """Share of right answers among the test images."""
        answers = self.bob(self.alice(self.tested.data.flatten(1).float() / 255)).argmax(dim=1)
        return float((answers == self.tested.targets).float().mean())


def ours(root: str, *words: str) -> dict[str, float]:
    """Train experiment=pyvertical; return seconds an epoch and accuracy."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["vl-train", "experiment=pyvertical", "trainer.accelerator=cpu", f"hydra.run.dir={folder}", *words]
        subprocess.run(command, check=True, capture_output=True, env=os.environ | {"VL_DATA": root, "CUDA_VISIBLE_DEVICES": ""})
        found = json.loads(Path(folder, "metrics.json").read_text())
    return {"seconds": found["time/fit_seconds"] / EPOCHS, "test accuracy": found["test/accuracy"]}


def measure(root: str, rounds: int = EPOCHS) -> dict[str, Any]:
    """Let all take turns, an epoch of each peer and a run of ours in each round; return medians, and ratios round by round."""
    peers = {name: Peer(root, batches) for name, batches in (("samples", samples), ("tensors", tensors))}
    single = Peer(root, samples)
    seconds: dict[str, list[float]] = {}
    for _ in range(rounds):
        found = {
            "vl-train": (run := ours(root))["seconds"],
            "PyVertical's way, as shipped": peers["samples"].epoch(cores()),
            "PyVertical's way, one thread": single.epoch(1),
            "the same loop on tensors in memory": peers["tensors"].epoch(1),
        }
        for name, spent in found.items():
            seconds.setdefault(name, []).append(spent)
    accuracies = {"vl-train": run["test accuracy"], "PyVertical's way, as shipped": peers["samples"].accuracy()}
    ratios = {name: [one / own for one, own in zip(spent, seconds["vl-train"], strict=True)] for name, spent in seconds.items()}
    return {
        name: {"seconds": median(spent), "of ours": median(ratios[name]), "test accuracy": accuracies.get(name)}
        for name, spent in seconds.items()
    }
