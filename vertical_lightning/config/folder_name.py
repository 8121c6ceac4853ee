"""What a job's folder is called: what was swept, as far as a file system takes it."""

from __future__ import annotations

import hashlib
import re

from omegaconf import OmegaConf

LONGEST = 150
"""Characters; file systems take 255 bytes."""


def folder_name(number: int, swept: str) -> str:
    """Number a job and say what was swept: replace what would begin a folder within, and shorten what is too long.

    >>> folder_name(3, "data.root=a/b,cut=1"), folder_name(0, "")
    ('3_data.root=a_b,cut=1', '0')
    >>> len(folder_name(3, "x" * 300))
    150
    """
    name = f"{number}_{swept}".rstrip("_").replace("/", "_").replace("\n", " ")
    if len(name) <= LONGEST:
        return name
    return f"{name[: LONGEST - 9]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def then(name: str | None) -> str:
    """Return what a run's own name adds to its folder's; nothing if it has none.

    >>> then("wide/lr=0.1"), then(None)
    ('_wide_lr_0.1', '')
    """
    return "" if name is None else "_" + re.sub(r"[^\w.+-]", "_", str(name))[:LONGEST]


def register() -> None:
    """Let configurations say `${folder_name:…}` and `${then:…}`."""
    OmegaConf.register_new_resolver("then", then, replace=True)
    OmegaConf.register_new_resolver("folder_name", folder_name, replace=True)
