"""PyVertical's way (OpenMined 2020) on today's torch, beside ours: a DataLoader of single samples for each party, zipped, and a
backward call for each segment. Written anew from the paper's description; needs the full MNIST (VL_DATA).
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset
from torchvision.datasets import MNIST
from torchvision.transforms import ToTensor

BATCH, LR = 128, 0.03


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


def train(root: str, epochs: int) -> dict[str, float]:
    """Train the published network; return seconds an epoch and accuracies over the last epoch's batches and the test set."""
    torch.manual_seed(0)
    whole = MNIST(root, train=True, transform=ToTensor())
    images = Part(len(whole), lambda index: whole[index][0])
    labels = Part(len(whole), lambda index: int(whole.targets[index]))
    alice = nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 640), nn.ReLU())
    bob = nn.Sequential(nn.Linear(640, 10), nn.LogSoftmax(dim=1))
    optimizers = [torch.optim.SGD(part.parameters(), lr=LR) for part in (alice, bob)]
    loss = nn.NLLLoss()
    seconds, right = [], 0
    for _ in range(epochs):
        began, right = time.perf_counter(), 0
        for (pixels, _), (digits, _) in zip(DataLoader(images, BATCH), DataLoader(labels, BATCH), strict=True):
            for optimizer in optimizers:
                optimizer.zero_grad()
            sent = alice(pixels.flatten(1))
            received = sent.detach().requires_grad_()
            answer = bob(received)
            loss(answer, digits).backward()
            sent.backward(received.grad)
            for optimizer in optimizers:
                optimizer.step()
            right += int((answer.argmax(dim=1) == digits).sum())
        seconds.append(time.perf_counter() - began)
    tested = MNIST(root, train=False)
    with torch.no_grad():
        answers = bob(alice(tested.data.flatten(1).float() / 255)).argmax(dim=1)
    test = float((answers == tested.targets).float().mean())
    return {"seconds": min(seconds), "train accuracy": right / len(whole), "test accuracy": test}


def ours(root: str, epochs: int) -> dict[str, float]:
    """Train experiment=pyvertical; return the same."""
    with tempfile.TemporaryDirectory() as folder:
        words = ["experiment=pyvertical", f"trainer.max_epochs={epochs}", "trainer.accelerator=cpu", f"hydra.run.dir={folder}"]
        environment = os.environ | {"VL_DATA": root, "CUDA_VISIBLE_DEVICES": ""}
        subprocess.run(["vl-train", *words], check=True, capture_output=True, env=environment)
        found = json.loads(Path(folder, "metrics.json").read_text())
    return {
        "seconds": found["time/fit_seconds"] / epochs,
        "train accuracy": found["train/accuracy"],
        "test accuracy": found["test/accuracy"],
    }


def measure(root: str, epochs: int = 4) -> dict[str, Any]:
    """Train both as published."""
    return {"PyVertical's way": train(root, epochs), "vl-train": ours(root, epochs)}
