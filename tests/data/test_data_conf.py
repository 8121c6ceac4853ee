"""Every yaml of the data room builds its class, names only its parameters, and fits its data set."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest
from hydra.utils import get_class, instantiate
from omegaconf import DictConfig, OmegaConf

CONF = Path(__file__).parents[2] / "conf"
FILES = sorted(path for folder in ("data", "partition", "overlap") for path in (CONF / folder).glob("*.yaml"))
WITH_DATA = ["credit", "adult", "bank"]
OTHERS = [path.stem for path in (CONF / "partition").glob("*.yaml") if path.stem not in WITH_DATA]


def answer(path: Path) -> tuple[DictConfig, str]:
    """Return what the file says for its group, and the label holder that it sets or else the default one."""
    content = OmegaConf.load(path)
    assert isinstance(content, DictConfig)
    holder = content.get("label_holder", "bob")
    group = content[path.parent.name] if path.read_text().startswith("# @package _global_\n") else content
    return OmegaConf.create({"label_holder": holder, "group": group}), holder


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}={path.stem}")
def test_every_key_is_a_parameter(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VL_DATA", raising=False)
    config, _ = answer(path)
    target = get_class(config.group._target_)
    assert set(config.group) - {"_target_"} <= set(inspect.signature(target).parameters)
    assert isinstance(instantiate(config.group, _convert_="all"), target)


@pytest.mark.parametrize("source", [path.stem for path in (CONF / "data").glob("*.yaml")])
def test_one_word_names_file_class_and_answer(source: str) -> None:
    config, _ = answer(CONF / "data" / f"{source}.yaml")
    _, module, name = config.group._target_.rsplit(".", 2)
    assert module == source
    assert name.lower() == source.replace("_", "")


def test_the_folder_of_downloads_can_be_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    config, _ = answer(CONF / "data" / "mnist.yaml")
    monkeypatch.delenv("VL_DATA", raising=False)
    assert config.group.root == "data"
    monkeypatch.setenv("VL_DATA", "/elsewhere")
    assert config.group.root == "/elsewhere"


@pytest.mark.parametrize("name", WITH_DATA)
def test_the_natural_split_fits_its_data_set(name: str) -> None:
    tables = load("data", name).load()
    config, holder = answer(CONF / "partition" / f"{name}.yaml")
    assert holder == "bank"
    for table in tables.values():
        parties = instantiate(config.group, _convert_="all").split(table, holder)
        assert len(parties) == 2
        assert all(part.features is not None for part in parties.values())
        assert sum(part.features.shape[1] for part in parties.values()) == table.features.shape[1]


@pytest.mark.parametrize("name", OTHERS)
def test_every_other_split_fits_the_default_data_set(name: str) -> None:
    config, holder = answer(CONF / "partition" / f"{name}.yaml")
    table = load("data", "mnist_sample").load()["test"]
    parties = instantiate(config.group, _convert_="all").split(table, holder)
    assert sum(part.features[0].numel() for part in parties.values() if part.features is not None) == 784


def load(folder: str, name: str) -> Any:
    return instantiate(answer(CONF / folder / f"{name}.yaml")[0].group, _convert_="all")
