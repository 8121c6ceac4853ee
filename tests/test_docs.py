"""What README and docs/ say can be typed, can be typed; what they point to is there; what they show runs."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override

from vertical_lightning.config.compose import allow_party_overrides, config_folder, divided

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCED = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)
COMMAND = re.compile(r"^vl-(\w+) (.*?)(?: +#.*)?$", re.MULTILINE)
CONFIGS = {"train", "party", "predict", "cuts", "align", "partition", "export"}
FLAGS = {"-m", "--dry-run", "--csv", "--help"}


def commands() -> list[tuple[str, str, str]]:
    """(page, command, words) of every command in a fenced block."""
    found = []
    for page in PAGES:
        for _, block in FENCED.findall(page.read_text()):
            for command, words in COMMAND.findall(block.replace("\\\n", " ")):
                found.append((page.name, command, words))
    return found


@pytest.mark.parametrize(("page", "command", "words"), commands(), ids=lambda value: str(value)[:60])
def test_every_command_composes(page: str, command: str, words: str) -> None:
    if command == "report":  # its words are folders
        return
    assert command in CONFIGS, f"{page} has a command that there is none of"
    options, given = divided([word for word in shlex.split(words) if word not in FLAGS])
    if "mine" in options or "conf" in options:  # a page's own folder; the page is followed word by word elsewhere
        return
    # Launchers and sweepers are there with their extras only; tests/sweep/test_launchers.py runs them.
    settings = [word for word in allow_party_overrides(given) if not word.startswith("hydra")]
    with initialize_config_dir(config_folder(), version_base="1.3"):
        assert compose(command, [*map(first, OverridesParser.create().parse_overrides(settings)), *of_itself(command)])


def of_itself(command: str) -> list[str]:
    """What a command composes with only when it is really run."""
    return ["++folder=here"] if command not in ("export",) else []


def first(override: Override) -> str:
    """One of the values that a sweep gives a key."""
    if not override.is_sweep_override():
        return str(override.input_line)
    value = next(override.sweep_string_iterator()) if override.is_discrete_sweep() else override.value().start
    return f"{override.key_or_group}={value}"


def test_there_are_commands_on_many_pages() -> None:
    assert len(commands()) > 50 and len({page for page, _, _ in commands()}) > 6


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_bytes()) <= 8 * 1024


@pytest.mark.parametrize(
    "page", [*PAGES, ROOT / "CONTRIBUTING.md", ROOT / "experiments" / "README.md"], ids=lambda page: page.name
)
def test_what_a_page_points_to_is_there(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text())
    missing = [link for link in links if not link.startswith("http") and not (page.parent / link).exists()]
    assert not missing


def test_every_page_is_in_the_index() -> None:
    readme = (ROOT / "README.md").read_text()
    pages = [*sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "docs").glob("*.ipynb"))]
    assert len(pages) > 10
    assert not [page.name for page in pages if f"docs/{page.name}" not in readme]


@pytest.mark.slow
def test_the_python_example_runs(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (example,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "choices.md").read_text(), re.DOTALL)
    exec(compile(example, "choices.md", "exec"), {})
    assert "left->bob" in capsys.readouterr().out


@pytest.mark.slow
def test_the_tutorial_word_by_word(tmp_path: Path) -> None:
    """Each named block becomes the file that the sentence before it names; each command runs, in order."""
    page = (ROOT / "docs" / "extending.md").read_text().split("## What each kind")[0]
    for names, language, block in re.findall(
        r"`([\w/]+\.(?:py|yaml))`[^`]*?\n\n```(python|yaml)\n(.*?)^```", page, re.DOTALL | re.MULTILINE
    ):
        assert language == ("python" if names.endswith("py") else "yaml")
        (tmp_path / names).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / names).write_text(block)
    assert len(list(tmp_path.rglob("*.*"))) == 4
    said = [run(command, words, tmp_path) for name, command, words in commands() if name == "extending.md"]
    before, after = (float(re.findall(r"norms/auc +([\d.]+)", text)[0]) for text in said[:2])
    told = [float(number) for number in re.findall(r"`norms/auc` (?:is )?(0\.\d+)", page)]
    assert [before, after] == pytest.approx(told, abs=0.03)
    assert "attack/norms/auc" in next(tmp_path.glob("logs/sweeps/*/summary.md")).read_text()


def run(command: str, words: str, folder: Path) -> str:
    """Run a command as its console script does, whose first place to import from is not the working directory."""
    script = f"from vertical_lightning.commands.{command} import main; main()"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONSAFEPATH": "1"}
    done = subprocess.run(
        [sys.executable, "-c", script, *shlex.split(words)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("name", ["five_minutes", "two_banks"])
def test_a_notebook_runs_and_shows_its_pictures(name: str, tmp_path: Path) -> None:
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    kept = nbformat.read(ROOT / "docs" / f"{name}.ipynb", 4)
    assert pictures(kept) >= 1, "its pictures are kept with it"
    fresh = nbformat.read(ROOT / "docs" / f"{name}.ipynb", 4)
    nbclient.NotebookClient(fresh, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert pictures(fresh) == pictures(kept)


def pictures(notebook: object) -> int:
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]  # type: ignore[attr-defined]
    return sum("image/png" in output.get("data", {}) for output in outputs)
