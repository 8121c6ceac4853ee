"""Whether a setting is of the kind that its class takes: a number, a text, a list."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin

from hydra.utils import get_object
from omegaconf import DictConfig, ListConfig, OmegaConf

KINDS = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "str": "a text",
    "list": "a list",
    "None": "null",
}
"""Of values that a configuration can hold."""

LISTS = ("Sequence", "list", "tuple")
OURS = ("_target_", "_partial_", "parties", "interval", "monitor")
"""Keys that no class takes."""


def check_kinds(config: DictConfig) -> None:
    """Refuse values that a class would choke on, wherever in a configuration it is named.

    Raises:
        ValueError: Names the setting, its value and what it may be.
    """
    for path, node in named(config, ""):
        taken = kinds(str(node["_target_"]))
        for key, value in node.items():
            allowed = taken.get(str(key), frozenset())
            if str(key) not in OURS and allowed and not fits(value, allowed):
                told = allowed - {"int"} if "float" in allowed else allowed
                may = " or ".join(words for kind, words in KINDS.items() if kind in told)
                raise ValueError(f"{path}.{key!s}={value} is not allowed: give {may}.")


def named(node: Any, path: str) -> Iterator[tuple[str, DictConfig]]:
    """Yield (path, node) of every node that names a class; what a reference points to comes at its own place."""
    if isinstance(node, DictConfig):
        if isinstance(node.get("_target_"), str):
            yield path, node
        for key in node:
            if not OmegaConf.is_interpolation(node, str(key)):
                yield from named(node[key], f"{path}.{key!s}".strip("."))


@cache
def kinds(target: str) -> dict[str, frozenset[str]]:
    """Return by argument which plain kinds a class or function takes; arguments that take others are left out.

    >>> sorted(kinds("vertical_lightning.architectures.tabular.Tabular")["dropout"])
    ['float', 'int']
    """
    try:
        parameters = inspect.signature(get_object(target)).parameters
    except Exception:  # Hydra says it better
        return {}
    annotated = {
        name: frozenset(names(parameter.annotation))
        for name, parameter in parameters.items()
        if parameter.annotation is not parameter.empty
    }
    return {name: known for name, known in annotated.items() if known <= set(KINDS)}


def names(annotation: Any) -> Iterator[str]:
    """Yield the kinds that an annotation names, also one that is text; a number may be a whole one."""
    if isinstance(annotation, str):
        parts = [word.strip() for word in annotation.split("|")]
    elif get_origin(annotation) is Union or type(annotation).__name__ == "UnionType":
        parts = list(get_args(annotation))
    elif get_origin(annotation) is Literal:
        parts = ["other"]
    else:
        parts = [annotation]
    for part in parts:
        name = part if isinstance(part, str) else getattr(part, "__name__", "other").replace("NoneType", "None")
        if not isinstance(part, str) and get_origin(part) is Union:
            yield from names(part)
        else:
            bare = name.split("[")[0]
            yield from {"float": ["int", "float"], "Tensor": []}.get(bare, ["list" if bare in LISTS else bare])


def fits(value: Any, allowed: frozenset[str]) -> bool:
    """Whether a value of a configuration is of one of the kinds."""
    if isinstance(value, ListConfig):
        return "list" in allowed
    if isinstance(value, bool):
        return "bool" in allowed
    return value is None or isinstance(value, DictConfig) or type(value).__name__ in allowed
