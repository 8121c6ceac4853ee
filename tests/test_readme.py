"""What README says can be typed, can be typed."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from job import configuration

README = (Path(__file__).parent.parent / "README.md").read_text()
COMMANDS = re.findall(r"^vl-train (.*?)(?:  +#.*)?$", README, re.MULTILINE)


@pytest.mark.parametrize("command", [command for command in COMMANDS if command != "--help"])
def test_every_command_composes(command: str, tmp_path: Path) -> None:
    words = [word for word in shlex.split(command) if word != "-m"]
    first = [word if "[" in word else word.split(",")[0] for word in words]
    assert configuration(tmp_path, *first).architecture


def test_there_are_commands() -> None:
    assert len(COMMANDS) > 5


@pytest.mark.slow
def test_the_python_example_runs(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (example,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    exec(compile(example, "README.md", "exec"), {})
    assert "left->bob" in capsys.readouterr().out
