"""The rooms' imports, and the house rules that a grep can hold."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "vertical_lightning"
FILES = sorted(path for path in PACKAGE.rglob("*.py") if path.name != "__init__.py")

ARROWS = {
    "schema": set(),
    "split": {"schema"},
    "architectures": {"schema", "split"},
    "merges": {"schema"},
    "codecs": {"schema", "split"},
    "schedules": {"schema", "split"},
    "defenses": {"schema", "split"},
    "attacks": {"schema", "split"},
    "psi": {"schema"},
    "data": {"psi", "schema", "split"},
    "callbacks": {"data", "schema", "split"},
    "config": {"schema", "split"},
    "distributed": {"config", "psi", "schema", "split"},
    "reports": {"split"},
    "run": {"config", "data", "distributed", "schema", "split"},
    "sweep": {"config", "reports", "run", "split"},
    "commands": {"config", "data", "distributed", "reports", "run", "schema", "split", "sweep"},
}
"""Room → the rooms that its files may import, lazily too. Nobody imports a command."""

KINDS = ("data/sources", "data/partitions", "architectures", "merges", "codecs", "schedules", "defenses", "callbacks")
"""Rooms of one kind: a file is an answer, and no answer knows another."""
SHARED = {
    "architectures": {"layers", "dropout"},
    "merges": {"shapes"},
    "callbacks": {"final_rows", "named", "piece_grid"},
    "data/sources": {"torchvision_source", "verified_file"},
    "data/partitions": {"common"},
}


def imports(path: Path) -> set[str]:
    """Modules of the package that a file imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found |= {f"{node.module}.{alias.name}" for alias in node.names if node.module == "vertical_lightning"}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return {name.removeprefix("vertical_lightning.") for name in found if name.startswith("vertical_lightning.")}


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_follow_the_arrows(path: Path) -> None:
    assert {name.split(".")[0] for name in imports(path)} <= {room(path)} | ARROWS[room(path)]


def test_no_rooms_stand_in_a_circle() -> None:
    left = dict(ARROWS)
    while free := [name for name, arrows in left.items() if not arrows & set(left)]:
        for name in free:
            del left[name]
    assert not left


def test_no_file_lies_outside_the_rooms() -> None:
    assert {path.name for path in PACKAGE.glob("*.py")} == {"__init__.py", "schema.py"}


@pytest.mark.parametrize("kind", KINDS)
def test_answers_do_not_know_each_other(kind: str) -> None:
    names = {path.stem for path in (PACKAGE / kind).glob("*.py")} - SHARED.get(kind, set()) - {"__init__"}
    assert names
    for path in (PACKAGE / kind).glob("*.py"):
        siblings = {name.rsplit(".", 1)[-1] for name in imports(path) if name.startswith(kind.replace("/", "."))}
        assert not siblings & names


def test_psi_imports_torch_and_the_standard_library_only() -> None:
    allowed = {*sys.stdlib_module_names, "torch", "tqdm", "private_set_intersection", "vertical_lightning"}
    for path in (PACKAGE / "psi").glob("*.py"):
        names = re.findall(r"^ *(?:import|from) (\w+)", path.read_text(), re.MULTILINE)
        assert {name for name in names} <= allowed, path


def test_configurations_stop_at_build() -> None:
    def knows(path: Path) -> bool:
        return re.search(r"\b(omegaconf|import hydra|from hydra)\b", path.read_text()) is not None

    knowing = {path.relative_to(PACKAGE) for path in FILES if knows(path)}
    rooms = {path for path in knowing if path.parts[0] in ("commands", "config", "sweep")}
    assert knowing - rooms == {Path("run/build.py"), Path("run/build_parts.py")}


LONGER = {
    "schema.py": 225,  # what passes between all rooms, on one page
    "split/split_module.py": 215,  # one class: what Lightning calls it for, and a step
    "split/topology.py": 215,  # one class: half of it says what it is given
    "data/datamodule.py": 220,  # one class: its twenty settings are a third of it
    "data/files/party_file.py": 220,  # one class: its settings, and what each may not be
    "distributed/transport/line.py": 205,
    "psi/star.py": 205,
}
"""Files over the 200 lines that a file may have."""


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_one_public_class_and_short_files(path: Path) -> None:
    lines = path.read_text().splitlines()
    assert len(lines) <= LONGER.get(str(path.relative_to(PACKAGE)), 200)
    for node in ast.walk(ast.parse("\n".join(lines))):
        if isinstance(node, ast.FunctionDef):
            code = (node.end_lineno or 0) - node.body[0].lineno + 1
            assert code <= 40, f"{node.name} is {code} lines long"
