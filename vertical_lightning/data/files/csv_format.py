"""How a CSV is written, as a program or a country has it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SIGNS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|", "space": " ", "point": "."}
"""Words for what a shell and Hydra would want quoted."""


@dataclass(frozen=True)
class CsvFormat:
    """How a CSV is written, as a program or a country has it.

    Args:
        sep: What stands between columns: a character, or its name: comma, semicolon, tab, pipe, space.
        decimal: What stands before a number's fraction; also `comma`.
        thousands: What stands between a number's groups of three digits, if anything; also `comma`, `point`, `space`.
        encoding: How bytes become text.
        missing: Words and numbers in columns of features that mean that nothing is known.
    """

    sep: str = ","
    decimal: str = "."
    thousands: str | None = None
    encoding: str = "utf-8"
    missing: Sequence[str] = ()

    def __post_init__(self) -> None:
        """Refuse what no CSV is written with."""
        signs = self.signs()
        if wrong := [name for name, sign in signs.items() if sign is not None and len(sign) != 1]:
            raise ValueError(f"{', '.join(wrong)} must be one character, or one of {', '.join(SIGNS)}.")
        if signs["decimal"] == signs["thousands"]:
            raise ValueError(f"decimal={self.decimal}, thousands={self.thousands}: the two are different signs.")
        try:
            "".encode(self.encoding)
        except LookupError:
            raise ValueError(f"encoding={self.encoding} is unknown; utf-8, utf-16, cp1252 and latin-1 are not.") from None

    def signs(self) -> dict[str, str | None]:
        """Return the characters that the words stand for."""
        given = {"sep": self.sep, "decimal": self.decimal, "thousands": self.thousands}
        return {name: None if sign is None else SIGNS.get(sign, sign) for name, sign in given.items()}

    def suspicion(self, path: Path) -> str:
        """Say what a file seems to be written with instead."""
        with path.open("rb") as file:
            begin = file.read(4096)
        if begin.startswith((b"\xff\xfe", b"\xfe\xff")) and "16" not in self.encoding:
            return "; its first bytes are those of encoding=utf-16"
        line = begin.decode(self.encoding, errors="replace").partition("\n")[0]
        most = max((word for word in SIGNS if word not in ("space", "point")), key=lambda word: line.count(SIGNS[word]))
        if line.count(SIGNS[most]) > line.count(self.signs()["sep"] or ","):
            return f"; its first line has {most}s: sep={most}"
        return "; where it is not, encoding= says so, such as utf-16 or cp1252, and sep=, such as semicolon"

    def options(self) -> dict[str, Any]:
        """Return what pandas wants to know."""
        return {**self.signs(), "encoding": self.encoding}


def separator(line: str) -> str:
    """Name what stands between the columns of a line; empty if nothing does."""
    return next((word for word, sign in SIGNS.items() if sign in line and word not in ("space", "point")), "")
