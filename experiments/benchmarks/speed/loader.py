"""A batch of 128 digits: ours, torchvision's MNIST behind a stock DataLoader, and index_select alone; and what rows take.

Needs the full MNIST (VL_DATA).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable
from itertools import islice
from statistics import median
from typing import Any

import torch
from torch.utils.data import DataLoader
from torchvision.datasets import MNIST
from torchvision.transforms import ToTensor

from vertical_lightning.data.loader import AlignedLoader, AlignedRows, PositionSampler

BATCH = 128
MEMORY = """
import gc, json, os, sys, torch
from hydra import compose, initialize_config_dir
from vertical_lightning.config.compose import build, config_folder
from vertical_lightning.run import build
import numpy, pandas, torchvision
def resident():
    gc.collect()
    return int(open('/proc/self/statm').read().split()[1]) * os.sysconf('SC_PAGE_SIZE')
with initialize_config_dir(config_folder(), version_base="1.3"):
    config = compose("train", ["data=mnist", "overlap.missing=0", "folder=" + sys.argv[1]])
    warm = build(compose("train", ["folder=" + sys.argv[1]]).datamodule)
    warm.setup("fit")
    before = resident()
    data = build(config.datamodule)
    data.setup("fit")
    data.setup("test")
    data.release()
    held = {}
    for loader in (data.train_dataloader(), data.val_dataloader(), data.test_dataloader()):
        rows = loader.dataset
        held |= {id(one): one.numel() * one.element_size() for one in (*rows.features.values(), rows.labels, rows.rows)}
    print(json.dumps({"tensors": sum(held.values()), "resident": resident() - before}))
"""


def pace(batches: Iterable[object], count: int) -> float:
    """Return seconds a batch; the first one is not counted."""
    one_by_one = iter(batches)
    next(one_by_one)
    began = time.perf_counter()
    taken = sum(1 for _ in islice(one_by_one, count))
    return (time.perf_counter() - began) / taken


def measure(root: str, rounds: int) -> dict[str, Any]:
    """Let the three take turns; return medians in µs a batch and what the rows take in memory."""
    stock = MNIST(root, train=True, transform=ToTensor())
    images = stock.data.unsqueeze(1).float() / 255
    rows = AlignedRows({"alice": images}, stock.targets, torch.arange(len(images)))
    loader = AlignedLoader(rows, PositionSampler(len(rows), BATCH, shuffle=True))
    ways = {
        "vl-train": lambda: pace(loader, 300),
        "torchvision's MNIST in a DataLoader": lambda: pace(DataLoader(stock, BATCH, shuffle=True), 20),
        "index_select": lambda: pace((images.index_select(0, at) for at in torch.randperm(len(images)).split(BATCH)), 300),
    }
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            taken[name].append(1e6 * way())
    told = subprocess.run(
        [sys.executable, "-c", MEMORY, "/tmp"], capture_output=True, text=True, check=True, env=os.environ | {"VL_DATA": root}
    )
    return {
        "µs a batch": {name: median(spent) for name, spent in taken.items()},
        "memory": json.loads(told.stdout.splitlines()[-1]),
    }
