"""A command answers `--help` at once: what takes seconds to import is imported when something runs."""

from __future__ import annotations

import subprocess
import sys

import pytest

COMMANDS = ("align", "cuts", "export", "partition", "party", "predict", "report", "train")
SLOW = {"torch", "lightning_fabric", "pytorch_lightning", "pandas", "matplotlib"}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_begins_without_what_is_slow_to_import(command: str) -> None:
    script = f"import sys, vertical_lightning.commands.{command}; print(*sorted({SLOW} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == ""
