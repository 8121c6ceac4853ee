"""Law 6: looking changes nothing, and everything random owns its generator."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from aligned_data import global_state, numbered, synthetic
from pytorch_lightning.callbacks import Checkpoint, ProgressBar
from pytorch_lightning.loggers import TensorBoardLogger
from split_runs import OPTIMIZERS, Recorded, quiet_trainer
from torch import Tensor

import vertical_lightning
from vertical_lightning import callbacks
from vertical_lightning.architectures.tabular import Tabular
from vertical_lightning.architectures.vgg11 import Vgg11
from vertical_lightning.data.datamodule import VerticalDataModule
from vertical_lightning.merges.attention import Attention
from vertical_lightning.split.topology import Topology

pytestmark = pytest.mark.filterwarnings("ignore")
PACKAGE = Path(vertical_lightning.__file__).parent
CALLBACKS = [
    value
    for module in pkgutil.iter_modules(callbacks.__path__)
    for value in vars(importlib.import_module(f"{callbacks.__name__}.{module.name}")).values()
    if inspect.isclass(value) and value.__module__ == f"{callbacks.__name__}.{module.name}" and issubclass(value, pl.Callback)
]


@pytest.fixture(scope="module", params=["numbers", "images"])
def data(request: pytest.FixtureRequest) -> VerticalDataModule:
    module = synthetic(2, batch_size=32) if request.param == "numbers" else numbered(2, rows=150, batch_size=32)
    module.setup("fit")
    return module


def weights(data: VerticalDataModule, **options: Any) -> dict[str, Any]:
    """Train a network with dropout for two epochs and return its whole state."""
    owners, classes = ["server", "bob"], len(data.classes)
    network = Topology(Tabular([6, 5], 0.3), data.shapes, classes, "bob", owners=owners, cut=[1, 2], merge=Attention)
    settings = {"max_epochs": 2, "log_every_n_steps": 1, "num_sanity_val_steps": 0, **options}
    module = Recorded(network, OPTIMIZERS["adam"], clip_norm=1.0)
    quiet_trainer(**settings).fit(module, datamodule=data)
    return {**{f"loss {step}": loss for step, loss in enumerate(module.losses)}, **module.state_dict()}


def assert_same(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    assert ours.keys() == theirs.keys()
    for name, value in ours.items():
        assert torch.equal(value, theirs[name]) if isinstance(value, Tensor) else value == theirs[name], name


@pytest.fixture(scope="module")
def plain(data: VerticalDataModule) -> dict[str, Any]:
    return weights(data)


def made(callback: type[pl.Callback], folder: Path) -> pl.Callback:
    """A callback as its configuration makes it."""
    needed = {"Checkpoint": {"dirpath": folder, "monitor": "val/loss"}, "EarlyStopping": {"monitor": "val/loss", "patience": 9}}
    return callback(**needed.get(callback.__name__, {}))


@pytest.mark.parametrize("callback", CALLBACKS)
def test_a_callback_changes_nothing(
    callback: type[pl.Callback], data: VerticalDataModule, plain: dict[str, Any], tmp_path: Path
) -> None:
    logger = TensorBoardLogger(str(tmp_path), name=None, version="")
    enabled = {
        "enable_checkpointing": issubclass(callback, Checkpoint),
        "enable_progress_bar": issubclass(callback, ProgressBar),
    }
    found = weights(data, callbacks=[made(callback, tmp_path)], logger=logger, **enabled)
    assert_same(found, plain)


def test_all_callbacks_together_change_nothing(data: VerticalDataModule, plain: dict[str, Any], tmp_path: Path) -> None:
    assert len(CALLBACKS) >= 5
    logger = TensorBoardLogger(str(tmp_path), name=None, version="")
    enabled = {"enable_checkpointing": True, "enable_progress_bar": True}
    assert_same(weights(data, callbacks=[made(one, tmp_path) for one in CALLBACKS], logger=logger, **enabled), plain)
    assert list(tmp_path.glob("events*"))


@pytest.mark.parametrize(
    "options",
    [
        {"enable_progress_bar": True},
        {"limit_val_batches": 0},
        {"num_sanity_val_steps": 2},
        {"log_every_n_steps": 50},
        {"enable_model_summary": True},
        {"check_val_every_n_epoch": 2},
        {"val_check_interval": 2},
    ],
    ids=str,
)
def test_watching_changes_nothing(options: dict[str, Any], data: VerticalDataModule, plain: dict[str, Any]) -> None:
    assert_same(weights(data, **options), plain)


def test_a_logger_and_checkpoints_change_nothing(data: VerticalDataModule, plain: dict[str, Any], tmp_path: Path) -> None:
    logger = TensorBoardLogger(str(tmp_path), name=None, version="")
    assert_same(weights(data, logger=logger, enable_checkpointing=True, default_root_dir=tmp_path), plain)


def test_a_run_neither_reads_nor_moves_the_global_state(data: VerticalDataModule, plain: dict[str, Any]) -> None:
    pl.seed_everything(12345, verbose=False)
    before = global_state()
    again = weights(data)
    assert global_state() == before
    assert_same(again, plain)


@pytest.mark.parametrize("architecture", [Tabular([4, 4], dropout=0.5), Vgg11(width=8)], ids=["tabular", "vgg11"])
def test_building_a_network_restores_the_global_state(architecture: Tabular | Vgg11) -> None:
    before = global_state()
    Topology(architecture, {"alice": (1, 16, 16)}, 3, "bob", owners=["bob"], cut=2, merge=Attention)
    assert global_state() == before


def test_aligning_and_setting_up_leave_the_global_state_alone() -> None:
    before = global_state()
    for one in (synthetic(3), numbered(2, rows=60, test_rows=30)):
        one.setup("fit")
    assert global_state() == before


def seeders(tree: ast.AST) -> Iterator[str]:
    """Find calls that seed a global generator: every `seed` but that of a generator made on the spot."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            name, owner = node.func.attr, ast.unparse(node.func.value)
            seeds = name in ("seed_everything", "manual_seed", "manual_seed_all", "seed") and not owner.startswith(
                "torch.Generator("
            )
            if seeds or (name == "set_state" and "default_generator" in owner):
                yield f"{owner}.{name}"


def test_nobody_draws_from_pythons_own_generator() -> None:
    nodes = [node for file in PACKAGE.rglob("*.py") for node in ast.walk(ast.parse(file.read_text()))]
    imported = {name.name for node in nodes if isinstance(node, ast.Import) for name in node.names}
    imported |= {node.module for node in nodes if isinstance(node, ast.ImportFrom)}
    assert "torch" in imported and imported.isdisjoint({"random", "numpy.random"})


def test_only_train_seeds() -> None:
    found = {
        f"{file.relative_to(PACKAGE)}: {call}"
        for file in PACKAGE.rglob("*.py")
        for call in seeders(ast.parse(file.read_text()))
    }
    # `seeded` seeds within a fork of the state, which the tests above see restored; `seeds` a generator that it has made.
    assert found == {
        "run/build.py: pl.seed_everything",
        "split/seeding.py: made.manual_seed",
        "split/seeding.py: torch.default_generator.set_state",
    }
