"""What a job's folder is called: what was swept, as far as a file system takes it."""

from __future__ import annotations

import hashlib

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


def register() -> None:
    """Let configurations say `${folder_name:…}`."""
    OmegaConf.register_new_resolver("folder_name", folder_name, replace=True)
