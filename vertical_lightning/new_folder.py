"""A folder that is there whole, or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def new_folder(path: str | Path) -> Iterator[Path]:
    """Fill a folder under another name; it takes its own name when all is written, and is removed if anything fails.

    Raises:
        ValueError: There is something of this name: nothing is ever overwritten.
    """
    path = Path(path).expanduser().absolute()
    if path.exists():
        raise ValueError(f"out={path} exists; nothing is overwritten. Choose another folder, or remove it.")
    path.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    try:
        yield part
        os.umask(mask := os.umask(0))
        part.chmod(0o777 & ~mask)  # mkdtemp makes it the owner's alone
        if path.exists():
            raise ValueError(f"out={path} came into being meanwhile; nothing is overwritten. Choose another folder.")
        part.rename(path)
    except BaseException:
        shutil.rmtree(part)
        raise
