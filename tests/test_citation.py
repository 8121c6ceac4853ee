"""Who cites the package cites the version that is here."""

from __future__ import annotations

from configparser import ConfigParser
from pathlib import Path

import yaml

ROOT = Path(__file__).parent.parent


def test_citation_is_of_this_package() -> None:
    cited, package = yaml.safe_load((ROOT / "CITATION.cff").read_text()), ConfigParser()
    package.read(ROOT / "setup.cfg")
    assert cited["title"].startswith(package["metadata"]["name"])
    for key in ("version", "license"):
        assert cited[key] == package["metadata"][key]
    assert {"cff-version", "message", "authors"} <= cited.keys()
