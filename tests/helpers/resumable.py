"""A run with all that a checkpoint must keep: shuffling, dropout, noise, momentum, local steps, two feature parties."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import torch
from aligned_data import synthetic
from pytorch_lightning.callbacks import ModelCheckpoint
from split_runs import Recorded, quiet_trainer
from torch import Tensor

from vertical_lightning.architectures.tabular import Tabular
from vertical_lightning.data.datamodule import VerticalDataModule
from vertical_lightning.defenses.gaussian_noise import GaussianNoise
from vertical_lightning.merges.attention import Attention
from vertical_lightning.schedules.fedbcd import FedBcd
from vertical_lightning.split.topology import Topology

EPOCHS = 4
STEPS = 2
"""Of each party for one batch."""
SGD = partial(torch.optim.SGD, lr=0.05, momentum=0.9)


class Run:
    """One process's worth of objects, all of them new."""

    def __init__(self, data: VerticalDataModule | None = None, **options: Any) -> None:
        self.data = data or synthetic(2, rows=150, seed=1)
        self.data.prepare_data()
        self.data.setup("fit")
        task = self.data.task
        own = {"cut": 1, "merge": Attention, "seed": 2, "guards": {"alice": {"noise": partial(GaussianNoise, std=0.1)}}}
        network = Topology(Tabular([6, 5], dropout=0.3), self.data.shapes, task.outputs, "bob", owners=["bob"], **own)
        cosine = partial(torch.optim.lr_scheduler.CosineAnnealingLR, T_max=EPOCHS)
        self.module = Recorded(network, SGD, scheduler=cosine, clip_norm=1.0, task=task, schedule=FedBcd(STEPS))
        settings = {"max_epochs": EPOCHS, "log_every_n_steps": 3, "num_sanity_val_steps": 0, **options}
        self.trainer = quiet_trainer(**settings)

    def fit(self, ckpt_path: Path | None = None) -> Run:
        self.trainer.fit(self.module, datamodule=self.data, ckpt_path=ckpt_path)
        return self

    def state(self) -> dict[str, Any]:
        """Collect all that must be bit-identical in the end."""
        state = {**self.module.state_dict(), "bytes": dict(self.module.wire.bytes), "step": self.trainer.global_step}
        for party, optimizer in zip(self.module.trained, self.trainer.optimizers, strict=True):
            state[f"{party}'s rate"] = optimizer.param_groups[0]["lr"]
            for number, remembered in enumerate(optimizer.state.values()):
                state |= {f"{party}'s {name} {number}": value for name, value in remembered.items()}
        logged = {name: float(value) for name, value in self.trainer.callback_metrics.items()}
        return state | {f"logged {name}": value for name, value in logged.items() if "_step" not in name}


def equal(one: Any, other: Any) -> bool:
    return torch.equal(one, other) if isinstance(one, Tensor) else one == other


def assert_same(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    assert ours.keys() == theirs.keys()
    different = [name for name, one in ours.items() if not equal(one, theirs[name])]
    assert not different, {name: (ours[name], theirs[name]) for name in different[:3]}


def cut_off(folder: Path, saver: ModelCheckpoint, **options: Any) -> None:
    """Train and leave checkpoints behind."""
    Run(callbacks=[saver], enable_checkpointing=True, default_root_dir=folder, **options).fit()


def batches_per_epoch(run: Run) -> int:
    return len(run.data.train_dataloader())
