"""Files are read only after their checksum has been compared: a broken file is found here, not as a strange loss."""

from __future__ import annotations

import hashlib
from pathlib import Path

BUNDLED = Path(__file__).parents[1] / "bundled"


def verified_file(path: Path, checksum: str, remedy: str) -> Path:
    """Return `path` if the file there is the expected one.

    Args:
        path: Where the file should lie.
        checksum: The algorithm and the hexadecimal digest, as in `"sha256:0fd1…"`.
        remedy: A sentence that says what to do if it is not.

    Raises:
        FileNotFoundError: No file lies there.
        ValueError: Its checksum differs.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing; expected a file with {checksum}. {remedy}")
    actual = digest(path, checksum)
    if actual != checksum:
        raise ValueError(f"{path} is corrupt: it has {actual}, expected {checksum}. {remedy}")
    return path


def digest(path: Path, checksum: str) -> str:
    """Checksum a file by the algorithm that `checksum` begins with."""
    algorithm = checksum.partition(":")[0]
    with path.open("rb") as file:
        return f"{algorithm}:{hashlib.file_digest(file, algorithm).hexdigest()}"


def bundled_file(name: str, checksum: str) -> Path:
    """Return the path of a data file that travels with the package, verified.

    Raises:
        FileNotFoundError: The installation lacks it.
        ValueError: It was changed or damaged.
    """
    remedy = "It is part of vertical_lightning: install the package again, or restore the file from the repository."
    return verified_file(BUNDLED / name, checksum, remedy)
