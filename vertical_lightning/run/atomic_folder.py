"""A folder that is written completely or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def check_writable(folder: Path) -> None:
    """Refuse a folder in which nothing can be written, before anything takes time.

    Raises:
        ValueError: It is none, or may not be written to, or its disk is full.
    """
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"1")
    except OSError as error:
        raise ValueError(f"nothing can be written to {folder} ({error.strerror}); choose another place for out=.") from error


@contextmanager
def atomic_folder(path: str | Path) -> Iterator[Path]:
    """Fill a folder under another name; it takes its own name when all is written, and is removed if anything fails.

    Raises:
        ValueError: There is something of this name: nothing is ever overwritten.
    """
    path = Path(path).expanduser().absolute()
    if path.exists():
        raise ValueError(f"out={path} exists; nothing is overwritten. Choose another folder, or remove it.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(f"out={path} cannot be made ({error.strerror}); choose a folder that you may write to.") from error
    check_writable(path.parent)
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


@contextmanager
def more_of(path: str | Path) -> Iterator[Path]:
    """Fill a folder that may have files of others: all new ones are there in the end, or none.

    Raises:
        ValueError: There is a file of the same name: nothing is ever overwritten.
    """
    path = Path(path).expanduser().absolute()
    if not path.is_dir():
        with atomic_folder(path) as folder:
            yield folder
        return
    check_writable(path)
    with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as part:
        yield Path(part)
        made = sorted(Path(part).iterdir())
        if there := [file.name for file in made if (path / file.name).exists()]:
            raise ValueError(f"out={path} has {', '.join(there)} already; nothing is overwritten. Choose another folder.")
        for file in made:
            file.rename(path / file.name)
