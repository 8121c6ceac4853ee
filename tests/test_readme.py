"""What README says can be typed, can be typed."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from job import configuration

from vertical_lightning.config.compose import allow_party_overrides

README = (Path(__file__).parent.parent / "README.md").read_text().replace("\\\n", " ")
COMMANDS = re.findall(r"^vl-train (.*?)(?:  +#.*)?$", README, re.MULTILINE)


@pytest.mark.parametrize("command", [command for command in COMMANDS if command != "--help"])
def test_every_command_composes(command: str, tmp_path: Path) -> None:
    # Launchers and sweepers are there with their extras only; tests/sweep/test_launchers.py runs them.
    words = [word for word in allow_party_overrides(shlex.split(command)) if word != "-m" and not word.startswith("hydra")]
    assert configuration(tmp_path, *map(first, OverridesParser.create().parse_overrides(words))).architecture


def first(override: Override) -> str:
    """One of the values that a sweep gives a key."""
    if not override.is_sweep_override():
        return str(override.input_line)
    value = next(override.sweep_string_iterator()) if override.is_discrete_sweep() else override.value().start
    return f"{override.key_or_group}={value}"


def test_there_are_commands() -> None:
    assert len(COMMANDS) > 5


@pytest.mark.slow
def test_the_python_example_runs(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (example,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    exec(compile(example, "README.md", "exec"), {})
    assert "left->bob" in capsys.readouterr().out
