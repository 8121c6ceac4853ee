"""One party's file of a checkpoint: whole or not at all, for its owner's eyes, and with a digest of what it holds.

The digest stands in the comment that a zip archive may end with; `torch.load` reads the file as any other of torch's.
"""

from __future__ import annotations

import hashlib
import io
import os
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

DIGEST = hashlib.sha256().digest_size
COMMENT = struct.pack("<H", DIGEST)
"""The end of a zip archive's directory says how long its comment is."""


DAMAGED = (
    "{} is damaged, or no checkpoint of this version: its digest is not that of its content. Go on from another checkpoint."
)


def write_all(contents: Mapping[Path, dict[str, Any]]) -> None:
    """Write files that belong together: none takes its name before all are written, and nothing is left if one cannot be.

    Raises:
        OSError: The disk is full, or the folder cannot be written; says which file.
    """
    parts = {path: path.with_name(f".{path.name}.part") for path in contents}
    try:
        for path, content in contents.items():
            write(content, parts[path])
        for path, part in parts.items():
            part.replace(path)
    except OSError as error:
        raise OSError(f"the checkpoint {path} cannot be written ({error.strerror}); what was saved before is whole.") from error
    finally:
        for part in parts.values():
            part.unlink(missing_ok=True)


def write(content: dict[str, Any], path: Path) -> None:
    """Write a file that only its owner can read: weights, and a seed that nobody else may know."""
    buffer = io.BytesIO()
    torch.save(content, buffer)
    archive = buffer.getbuffer()[:-2]
    digest = hashlib.sha256(archive)
    digest.update(COMMENT)
    path.unlink(missing_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        for part in (archive, COMMENT, digest.digest()):
            file.write(part)


def read(path: Path) -> dict[str, Any]:
    """Read a file back.

    Raises:
        ValueError: It is not what was written: damaged, cut short, or of an earlier version.
    """
    whole = path.read_bytes()
    if hashlib.sha256(whole[:-DIGEST]).digest() != whole[-DIGEST:]:
        raise ValueError(DAMAGED.format(path))
    saved: dict[str, Any] = torch.load(io.BytesIO(whole), map_location="cpu", weights_only=True)
    return saved


def glance(path: Path) -> dict[str, Any]:
    """Read what a file says of its run and step: tensors stay on the disk, and are not checked.

    Raises:
        ValueError: It is no checkpoint, or cut short.
    """
    try:
        saved: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except Exception as error:  # torch has many for files that are none of its own
        raise ValueError(DAMAGED.format(path)) from error
    return saved
