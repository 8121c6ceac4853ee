"""Law 7: every choice in conf/ composes, instantiates, and trains one batch; every yaml key is a parameter of its target."""

from __future__ import annotations

import copy
import functools
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hydra.core.config_store import ConfigStore
from hydra.utils import get_object
from job import SMALL, configuration, run
from omegaconf import DictConfig, ListConfig

from vertical_lightning.config.compose import config_folder

CHOICES = sorted(
    (path.parent.name, path.stem)
    for path in Path(config_folder()).glob("*/*.yaml")
    if path.parent.name not in ("callbacks",) or path.stem == "default"
)
"""(group, choice); the parts of callbacks/default are in it."""

FEW_ROWS = ["overlap.missing=0.95", "batch_size=16", "callbacks.progress_bar.refresh_rate=0"]

TWO_FILES = Path(__file__).parents[1] / "helpers" / "two_files"

COMPANIONS = {
    ("merge", "stitch"): ["architecture=lenet", "partition=halves", *SMALL],
    ("data", "credit"): FEW_ROWS,
    ("data", "adult"): FEW_ROWS,
    ("data", "bank"): ["overlap.missing=0.5", *FEW_ROWS[1:]],
    ("data", "files"): [
        *("label_holder=bank", f"++data.parties.bank.path={TWO_FILES}/bank.csv", "++data.parties.bank.id=customer"),
        *("++data.parties.bank.label=late", f"++data.parties.shop.path={TWO_FILES}/shop.csv", "++data.parties.shop.id=key"),
        *("batch_size=16", "callbacks.progress_bar.refresh_rate=0"),
    ],
    ("data", "synthetic"): ["batch_size=32", "architecture=tabular", "callbacks.progress_bar.refresh_rate=0"],
    ("task", "multilabel"): ["data=synthetic", "data.labels=3", "batch_size=32", "architecture=tabular", *FEW_ROWS[2:]],
    ("task", "regression"): ["data=synthetic", "data.classes=0", "batch_size=32", "architecture=tabular", *FEW_ROWS[2:]],
    ("experiment", "architectures_tabular"): FEW_ROWS,
    ("data", "mnist_sample"): ["overlap.missing=0.9", *FEW_ROWS[1:]],
    ("partition", "credit"): ["data=credit", *FEW_ROWS],
    ("partition", "adult"): ["data=adult", *FEW_ROWS],
    ("partition", "bank"): ["data=bank", "overlap.missing=0.5", *FEW_ROWS[1:]],
    ("partition", "centralized"): ["topology=centralized", *SMALL],
}
"""What a choice needs beside it; the others run on small pictures."""


def parametrized(choices: list[tuple[str, str]]) -> Any:
    return pytest.mark.parametrize(("group", "choice"), choices, ids=["=".join(pair) for pair in choices])


@parametrized(CHOICES)
def test_trains_one_batch(group: str, choice: str, tmp_path: Path) -> None:
    companions = COMPANIONS.get((group, choice), SMALL)
    if choice in ("wandb", "mlflow"):
        pytest.importorskip(choice)
    metrics = run(tmp_path, f"{group}={choice}", *companions, "trainer.fast_dev_run=true")
    assert metrics["train/loss"] > 0
    assert metrics["test/loss"] > 0


@parametrized(CHOICES)
def test_every_key_is_a_parameter(group: str, choice: str, tmp_path: Path) -> None:
    nodes = list(targets(configuration(tmp_path, f"{group}={choice}")))
    assert len(nodes) > 10
    for node in nodes:
        target = get_object(node._target_)
        given = {str(key) for key in node} - {"_target_", "_partial_", "parties"}
        given -= {"interval", "monitor"} if "lr_scheduler" in node._target_ else set()  # when it steps, not what it does
        given |= {"parties"} & set(node) if "partitions" in node._target_ else set()
        assert not given - set(parameters(target)), f"{node._target_} takes no such keys"


def test_groups_and_targets_share_one_word() -> None:
    for group in ("data", "architecture", "merge"):
        for path in Path(config_folder(), group).glob("*.yaml"):
            words = path.stem.split("_")  # resnet18_large_stem is a variant of resnet18
            files = ["_".join(words[:count]) for count in range(1, len(words) + 1)]
            assert any(f".{name}." in path.read_text() for name in files), f"{path} does not name the file {path.stem}.py"


def targets(node: Any) -> Iterator[DictConfig]:
    """Every node with a `_target_`."""
    if isinstance(node, DictConfig):
        if "_target_" in node:
            yield node
        for key in node:
            if not str(node._get_node(key)._value()).startswith("${"):
                yield from targets(node[key])
    elif isinstance(node, ListConfig):
        for inner in node:
            yield from targets(inner)


@functools.cache
def parameters(target: Any) -> frozenset[str]:
    return frozenset(inspect.signature(target).parameters)


def test_what_hydra_is_kept_from_copying_it_only_reads(tmp_path: Path) -> None:
    configuration(tmp_path)  # Hydra's plugins come into the store with the first composition
    store = ConfigStore.instance()
    before = repr(store.repo)
    config = configuration(tmp_path, "hydra.verbose=true", "optimizer.lr=7")
    config.optimizer.lr = 8
    assert copy.deepcopy(store) is store and repr(store.repo) == before
