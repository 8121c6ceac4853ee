"""What a callback does in a step is done; what it does not do is not called."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
from aligned_data import synthetic
from job import configuration
from pytorch_lightning.callbacks import LambdaCallback, ModelCheckpoint
from split_runs import OPTIMIZERS, quiet_trainer

from vertical_lightning.architectures.mlp import Mlp
from vertical_lightning.callbacks.party_norms import PartyNorms
from vertical_lightning.merges.concat import Concat
from vertical_lightning.run.build_parts import build_trainer
from vertical_lightning.run.skip_empty_hooks import OF_A_STEP, skip_empty_hooks
from vertical_lightning.split.split_module import SplitModule
from vertical_lightning.split.topology import Topology


class Ends(pl.Callback):
    """Counts batches in a hook that a subclass inherits."""

    def __init__(self) -> None:
        self.batches = 0

    def on_train_batch_end(self, *_: object) -> None:
        self.batches += 1


class Both(Ends):
    """Counts one more thing."""

    def __init__(self) -> None:
        super().__init__()
        self.backwards = 0

    def on_after_backward(self, *_: object) -> None:
        self.backwards += 1


def kept(callback: pl.Callback) -> set[str]:
    skip_empty_hooks([callback])
    return {hook for hook in OF_A_STEP if callable(getattr(callback, hook))}


def test_all_hooks_of_a_step_are_known() -> None:
    hooks = {name for name in dir(pl.Callback) if name.startswith(("on_train_batch", "on_before", "on_after_backward"))}
    assert hooks == set(OF_A_STEP)


@pytest.mark.parametrize(
    ("callback", "hooks"),
    [
        (pl.Callback(), set()),
        (Ends(), {"on_train_batch_end"}),
        (Both(), {"on_train_batch_end", "on_after_backward"}),
        (PartyNorms(), {"on_before_optimizer_step"}),
        (ModelCheckpoint(), {"on_train_batch_end"}),
        (LambdaCallback(on_before_backward=print), {"on_before_backward"}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_hooks_with_a_body_stay(callback: pl.Callback, hooks: set[str]) -> None:
    assert kept(callback) == hooks


def test_a_run_calls_what_has_a_body_and_nothing_else() -> None:
    data, one, called = synthetic(2, batch_size=32), Both(), []
    empty = pl.Callback()
    skip_empty_hooks([one, empty])
    data.setup("fit")
    network = Topology(Mlp([4]), data.shapes, len(data.classes), "bob", owners=["bob"], cut=1, merge=Concat)
    watch: dict[str, Any] = {"on_train_epoch_end": lambda *_: called.append("epoch")}
    trainer = quiet_trainer(max_epochs=1, callbacks=[one, empty, LambdaCallback(**watch)])
    trainer.fit(SplitModule(network, OPTIMIZERS["adam"]), datamodule=data)
    assert one.batches == one.backwards == trainer.global_step > 0 and called == ["epoch"]


def test_the_trainer_of_a_command_passes_over_them(tmp_path: Path) -> None:
    trainer = build_trainer(configuration(tmp_path), session=None)
    named = {type(callback).__name__: {hook for hook in OF_A_STEP if getattr(callback, hook)} for callback in trainer.callbacks}
    assert named["Traffic"] == named["Charts"] == set()
    assert named["Checkpoint"] == {"on_train_batch_end"} and named["PartyNorms"] == {"on_before_optimizer_step"}
