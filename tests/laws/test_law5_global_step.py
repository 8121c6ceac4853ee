"""Law 5: global_step counts batches, whatever the number of optimizers."""

from __future__ import annotations

from pathlib import Path

import pytest
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import ModelCheckpoint
from split_runs import OPTIMIZERS, Recorded, batches, fit, mlp_network

from vertical_lightning.split.split_module import SplitModule


def module_and_batches(parties: int, count: int) -> tuple[Recorded, list]:
    network = mlp_network("splitnn_holder" if parties == 1 else "splitnn", parties, "mean")
    shapes = {party: (number + 2,) for number, party in enumerate(network.feature_parties)}
    return Recorded(network, OPTIMIZERS["adam"]), batches(shapes, count, torch.float32)


class Steps(pl.Callback):
    """Keeps global_step after every batch."""

    def __init__(self) -> None:
        self.seen: list[int] = []

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module: SplitModule, *rest: object) -> None:
        self.seen.append(trainer.global_step)


@pytest.mark.parametrize("parties", [1, 2, 3])
def test_global_step_is_the_number_of_batches(parties: int) -> None:
    module, steps = module_and_batches(parties, 4)
    seen = Steps()
    trainer = fit(module, steps, max_epochs=2, callbacks=[seen])
    assert len(trainer.optimizers) == (1 if parties == 1 else parties + 1)
    assert seen.seen == [1, 2, 3, 4, 5, 6, 7, 8]
    assert trainer.global_step == len(module.losses) == 8


@pytest.mark.parametrize("parties", [1, 2, 3])
def test_max_steps_stops_after_as_many_batches(parties: int) -> None:
    module, steps = module_and_batches(parties, 4)
    trainer = fit(module, steps, max_epochs=-1, max_steps=10)
    assert trainer.global_step == len(module.losses) == 10


@pytest.mark.parametrize("parties", [1, 2, 3])
def test_every_optimizer_steps_once_a_batch(parties: int) -> None:
    module, steps = module_and_batches(parties, 4)
    trainer = fit(module, steps, max_epochs=2)
    for optimizer in trainer.optimizers:
        assert {int(state["step"]) for state in optimizer.state.values()} == {8}


@pytest.mark.parametrize("parties", [1, 2, 3])
def test_checkpoints_are_saved_at_the_right_steps(parties: int, tmp_path: Path) -> None:
    module, steps = module_and_batches(parties, 4)
    saver = ModelCheckpoint(tmp_path, filename="{step}", every_n_train_steps=5, save_top_k=-1)
    fit(module, steps, max_epochs=3, callbacks=[saver], enable_checkpointing=True)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["step=10.ckpt", "step=5.ckpt"]
    saved = torch.load(tmp_path / "step=5.ckpt", weights_only=True)
    assert saved["global_step"] == 5
