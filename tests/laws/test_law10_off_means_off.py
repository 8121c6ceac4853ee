"""Law 10: every defense, codec and schedule at its neutral setting trains bit-identically to none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hydra.utils import get_object
from job import SMALL, configuration, run
from omegaconf import DictConfig
from two_runs import comparable, weights

from vertical_lightning.config.compose import config_folder

pytestmark = pytest.mark.filterwarnings("ignore")

GROUPS = ("defense", "codec", "schedule")
CHOICES = [
    (path.parent.name, path.stem)
    for group in GROUPS
    for path in sorted(Path(config_folder(), group).glob("*.yaml"))
    if path.stem not in ("none", "synchronous")
]
QUICK = ["partition=halves", "architecture.hidden=[16,16]", "trainer.max_epochs=2", "threads=1", *SMALL]


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], dict[str, Any]]:
    folder = tmp_path_factory.mktemp("plain")
    return comparable(run(folder, *QUICK)), weights(folder)


def neutral(folder: Path, group: str, choice: str) -> list[str]:
    """The overrides that set every class of a choice to what it says is neutral."""
    node = configuration(folder, f"{group}={choice}")[group]
    nodes = {group: node} if "_target_" in node else {f"{group}.{name}": part for name, part in node.items()}
    return [f"++{path}.{key}={value}" for path, part in nodes.items() for key, value in of_class(part).items()]


def of_class(node: DictConfig) -> dict[str, object]:
    said = dict(get_object(node._target_).neutral)
    assert said, f"{node._target_} says no neutral arguments"
    return said


@pytest.mark.parametrize(("group", "choice"), CHOICES, ids=["=".join(pair) for pair in CHOICES])
@pytest.mark.parametrize("execution", ["local", "gloo"])
def test_off_is_none(group: str, choice: str, execution: str, plain: tuple[Any, Any], tmp_path: Path) -> None:
    words = [f"{group}={choice}", *neutral(tmp_path, group, choice), f"execution={execution}"]
    metrics = comparable(run(tmp_path, *QUICK, *words))
    assert metrics == plain[0]
    ours = {name: value for name, value in weights(tmp_path).items() if ".guards." not in name and ".codecs." not in name}
    assert ours.keys() == plain[1].keys()
    assert not [name for name, value in ours.items() if not same(value, plain[1][name])]


@pytest.mark.parametrize(("group", "choice"), CHOICES, ids=["=".join(pair) for pair in CHOICES])
def test_on_is_something(group: str, choice: str, plain: tuple[Any, Any], tmp_path: Path) -> None:
    """Else the test above would prove nothing."""
    run(tmp_path, *QUICK, f"{group}={choice}")
    assert [name for name, value in weights(tmp_path).items() if name in plain[1] and not same(value, plain[1][name])]


def same(one: object, other: object) -> bool:
    return bool((one == other).all()) if hasattr(one, "all") else one == other
