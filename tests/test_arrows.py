"""The rooms' imports, and the house rules that a grep can hold."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "vertical_lightning"
FILES = sorted(path for path in PACKAGE.rglob("*.py") if path.name != "__init__.py")

EVERYWHERE = {"better", "features", "per_party", "precision", "schema", "seeds", "stopping"}
ARROWS = {
    "features": set(),
    "schema": set(),
    "better": set(),
    "best": set(),
    "checkpoint_file": set(),
    "seeds": set(),
    "stopping": set(),
    "per_party": set(),
    "precision": set(),
    "wire": set(),
    "transport": set(),
    "checkpoints": {"checkpoint_file"},
    "parties": {"checkpoints", "parameters", "transport"},
    "audit": {"wire"},
    "finite": {"wire"},
    "metrics": set(),
    "number_totals": set(),
    "row_count": set(),
    "class_weights": set(),
    "task": {"class_weights", "metrics", "number_totals", "row_count"},
    "run_folder": set(),
    "architectures": set(),
    "merges": set(),
    "topologies": {"wire"},
    "psi": set(),
    "data": {"psi", "task"},
    "study": set(),
    "log_now": set(),
    "objective": set(),
    "learning_rate": set(),
    "accumulation": set(),
    "checkpoint_io": set(),
    "split_module": {
        "accumulation",
        "audit",
        "checkpoint_io",
        "finite",
        "learning_rate",
        "log_now",
        "task",
        "topologies",
        "wire",
    },
    "callbacks": {"best", "data", "distance_correlation", "log_now", "loggers", "split_module", "tensorboards"},
    "report": {"split_module", "topologies"},
    "record": {"parameters", "tensorboards"},
    "tensorboards": set(),
    "loggers": set(),
    "prompt_tensorboard": set(),
    "configuration": set(),
    "distance_correlation": set(),
    "cost": {"distance_correlation", "topologies", "wire"},
    "cuts": {"configuration", "cost", "data", "task", "topologies"},
    "parameters": set(),
    "trusted_targets": set(),
    "work_per_batch": {"topologies"},
    "last_batch": {"data", "topologies"},
    "weights": {"checkpoint_file", "checkpoints", "topologies"},
    "choices": {"configuration", "learning_rate"},
    "setting_kinds": set(),
    "settings": {"checkpoints", "choices", "configuration", "setting_kinds"},
    "finished_run": {"configuration", "parameters", "trusted_targets"},
    "new_folder": set(),
    "align": {"configuration", "data", "new_folder", "report", "sweep"},
    "partition": {"configuration", "new_folder", "report"},
    "pieces": {"topologies"},
    "model_card": {"parameters", "pieces"},
    "export": {
        "model_card",
        "checkpoint_file",
        "checkpoints",
        "configuration",
        "finished_run",
        "trusted_targets",
        "new_folder",
        "pieces",
        "topologies",
    },
    "empty_hooks": set(),
    "memory": {"configuration", "data"},
    "sweep": {"configuration", "loggers", "objective", "parameters", "record", "study", "topologies"},
    "assembly": {
        *(
            "best",
            "checkpoint_file",
            "checkpoints",
            "choices",
            "configuration",
            "data",
            "empty_hooks",
            "memory",
            "objective",
            "last_batch",
        ),
        *("loggers", "parties", "report", "settings", "split_module", "sweep", "topologies", "weights", "work_per_batch"),
    },
    "train": {
        "assembly",
        "best",
        "configuration",
        "data",
        "finished_run",
        "loggers",
        "objective",
        "parameters",
        "record",
        "report",
        "split_module",
        "sweep",
    },
    "party": {"checkpoint_file", "checkpoints", "configuration", "finished_run", "sweep", "train", "transport"},
    "processes": {"best", "configuration", "parties", "party", "sweep", "topologies", "train"},
    "outputs": set(),
    "predict": {
        *("assembly", "best", "checkpoints", "configuration", "data", "finished_run", "new_folder"),
        *("outputs", "parties", "party", "processes", "task", "trusted_targets"),
    },
}
"""Room → the rooms that it may import besides its own and those that everyone may."""

KINDS = ("data/sources", "data/partitions", "architectures", "merges", "callbacks")
"""Rooms of one kind: a file is an answer, and no answer knows another."""
SHARED = {
    "architectures": {"layers", "dropout"},
    "merges": {"shapes"},
    "callbacks": {"final_rows", "named", "piece_grid"},
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
    allowed = EVERYWHERE | {room(path)} | ARROWS[room(path)]
    assert {name.split(".")[0] for name in imports(path)} <= allowed


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


def test_configurations_stop_at_train() -> None:
    knowing = {room(path) for path in FILES if "omegaconf" in path.read_text() or "import hydra" in path.read_text()}
    assert knowing == {
        "align",
        "assembly",
        "best",
        "parties",
        "partition",
        "party",
        "predict",
        "processes",
        "configuration",
        "cuts",
        "export",
        "finished_run",
        "model_card",
        "loggers",
        "memory",
        "objective",
        "parameters",
        "train",
        "record",
        "run_folder",
        "settings",
        "setting_kinds",
        "choices",
        "sweep",
        "trusted_targets",
    }


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_one_public_class_and_short_files(path: Path) -> None:
    lines = path.read_text().splitlines()
    assert len(lines) <= 230
    for node in ast.walk(ast.parse("\n".join(lines))):
        if isinstance(node, ast.FunctionDef):
            code = (node.end_lineno or 0) - node.body[0].lineno + 1
            assert code <= 40, f"{node.name} is {code} lines long"
