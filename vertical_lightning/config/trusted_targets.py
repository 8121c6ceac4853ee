"""What the configuration of a run may be made of, where somebody else may have written it: nothing that runs what it says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from inspect import isclass
from pkgutil import resolve_name
from typing import Any

from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

CLASSES_OF = (
    *("vertical_lightning", "torch.nn", "torch.optim", "torchmetrics", "pytorch_lightning.trainer.trainer"),
    *("pytorch_lightning.callbacks", "pytorch_lightning.loggers", "pytorch_lightning.profilers"),
)
"""A run's folder may name the classes that are defined in here: none of them runs what its arguments say."""

FUNCTIONS = (
    *("vertical_lightning.split.task.following_labels", "vertical_lightning.split.classification.classification"),
    *("vertical_lightning.split.regression.regression", "vertical_lightning.split.multilabel.multilabel"),
)
"""It may name these functions, too: they look at labels."""

DEEPEST = 30
"""Levels of a configuration; a reference to what encloses it has no end."""


def check_targets(config: DictConfig, trust: Sequence[str] = (), made: Sequence[str] | None = None) -> None:
    """Refuse a configuration of somebody else's if it names what may not be made from it.

    Args:
        config: With all its nodes and what they refer to.
        trust: Packages, besides torch's, Lightning's and this one, whose classes and functions may be named.
        made: The nodes that something is made from; None for all.

    Raises:
        ValueError: A `_target_` is no class of these.
    """
    names = list(map(str, config)) if made is None else made
    for path, target in (named for name in names for named in targets(value_of(config, name), name, DEEPEST)):
        if not isinstance(target, str) or not (inside(target, trust) or harmless(target)):
            raise ValueError(
                f"{path}._target_={target!r} comes from the run's folder, and is no class of this package, torch.nn, "
                "torch.optim, torchmetrics or Lightning. If you know the code and trust the folder's sender, say "
                f"trust=[{package(target)}]."
            )


def targets(node: Any, path: str, depth: int) -> Iterator[tuple[str, Any]]:
    """Yield (path, target) of all that a configuration can make, through references too."""
    if not depth:
        raise ValueError(f"the run's configuration has no end at {path}; it is deeper than {DEEPEST} levels.")
    if isinstance(node, DictConfig) and "_target_" in node:
        yield path, node["_target_"]
    if isinstance(node, DictConfig | ListConfig) and not (node._is_none() or node._is_missing()):
        for key in range(len(node)) if isinstance(node, ListConfig) else list(node.keys()):
            if not OmegaConf.is_missing(node, key):
                yield from targets(value_of(node, key), f"{path}.{key!s}".strip("."), depth - 1)


def value_of(node: DictConfig | ListConfig, key: Any) -> Any:
    """Return a value, resolved; None where it refers to nothing, as it will when it is used."""
    try:
        return node[key]
    except OmegaConfBaseException:
        return None


def inside(name: str, packages: Sequence[str]) -> bool:
    """Whether a dotted name lies in one of the packages.

    >>> inside("torch.nn.Linear", ["torch.nn"]), inside("torch.nnx", ["torch.nn"])
    (True, False)
    """
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def harmless(target: str) -> bool:
    """Whether a name is that of a class, where it is defined and not only imported, that a run is made of.

    >>> harmless("torch.optim.Adam"), harmless("vertical_lightning.run.summary.shlex.os.system"), harmless("torch.hub.load")
    (True, False, False)
    """
    if target in FUNCTIONS:
        return True
    if not inside(target, ("vertical_lightning", "torch", "torchmetrics", "pytorch_lightning")):
        return False  # not even imported
    try:
        thing = resolve_name(target)
    except Exception:
        return False
    return isclass(thing) and inside(thing.__module__, CLASSES_OF)


def package(target: object) -> str:
    """Return the package of a target, for `trust=[…]`."""
    return str(target).split(".")[0] if str(target).replace(".", "").isidentifier() else "PACKAGE"
