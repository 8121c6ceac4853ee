"""A run's folder is repeated with what it was told, and runs nothing that its sender wrote into it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
import yaml
from job import SMALL, configuration
from omegaconf import OmegaConf

from vertical_lightning.commands import export, party, predict, train
from vertical_lightning.config.compose import config_folder
from vertical_lightning.config.finished_run import after_the_runs, changes, going_on
from vertical_lightning.config.trusted_targets import check_targets, harmless

CODE = "touch planted"
PLANTED_WORDS = {
    "a class of its own": "+callbacks.mine={_target_: os.system, command: touch planted}",
    "a setting of Hydra": "hydra.callbacks.mine={_target_: os.system, command: touch planted}",
    "a group of Hydra": "hydra/launcher=mine",
    "a choice put into Hydra's settings": "+experiment@hydra=mine",
    "a file elsewhere": "experiment=../../mine/evil",
    "an absolute file": "experiment=/tmp/mine/evil",
    "trust in itself": "trust=[os]",
}
PLANTED_TARGETS = {
    "another package": {"_target_": "os.system", "command": CODE},
    "what a module of this package imports": {"_target_": "vertical_lightning.run.summary.shlex.os.system", "command": CODE},
    "a function of torch": {"_target_": "torch.hub.load", "repo_or_dir": ".", "model": "planted", "source": "local"},
    "a function of this package": {"_target_": "vertical_lightning.sweep.job.clear", "folder": "."},
    "Lightning's command line": {"_target_": "pytorch_lightning.cli.LightningCLI"},
    "torch's packages": {"_target_": "torch.package.PackageImporter", "file_or_buffer": "planted"},
    "deep inside": {"_target_": "torch.nn.Linear", "in_features": [{"_target_": "os.system", "command": CODE}]},
    "a name from elsewhere": {"_target_": "${name}"},
    "made by a resolver": "${oc.create:'{_target_: os.system, command: touch planted}'}",
    "no name": {"_target_": ["os", "system"]},
}


def test_a_configuration_without_an_end_is_refused() -> None:
    deep: dict[str, object] = {}
    for _ in range(40):
        deep = {"deeper": deep}
    with pytest.raises(ValueError, match="has no end"):
        check_targets(OmegaConf.create(deep))


def run_folder(folder: Path, words: list[str], settings: object = None) -> Path:
    (folder / ".hydra").mkdir(parents=True)
    (folder / ".hydra" / "overrides.yaml").write_text(yaml.safe_dump(words))
    if settings is not None:
        OmegaConf.save(OmegaConf.create(settings), folder / ".hydra" / "config.yaml")  # type: ignore[call-overload]
    return folder


@pytest.mark.parametrize("name", PLANTED_TARGETS)
def test_a_configuration_cannot_make_what_runs_code(name: str) -> None:
    config = OmegaConf.create({"name": "os.system", "architecture": PLANTED_TARGETS[name]})
    with pytest.raises(ValueError, match=r"architecture.*comes from the run's folder"):
        check_targets(config)


@pytest.mark.parametrize("command", ["vl-export", "vl-predict", "vl-train", "vl-party"])
@pytest.mark.parametrize("name", PLANTED_WORDS)
def test_no_command_runs_what_was_planted(
    name: str, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    planted = run_folder(tmp_path / "run", [PLANTED_WORDS[name]], {"architecture": PLANTED_TARGETS["another package"]})
    words = {
        "vl-export": [f"run={planted}", "party=alice"],
        "vl-predict": [f"run={planted}", "trainer.accelerator=cpu"],
        "vl-train": [f"ckpt_path={planted}", "trainer.max_epochs=0"],
        "vl-party": [f"ckpt_path={planted}", "name=alice", "rendezvous=127.0.0.1:1", "execution.patience=0.1"],
    }
    mains = {"vl-export": export.main, "vl-predict": predict.main, "vl-train": train.main, "vl-party": party.main}
    monkeypatch.setattr(sys, "argv", [command, *words[command]])
    with pytest.raises(SystemExit) as ended:
        mains[command]()
    said = f"{ended.value} {capsys.readouterr().err}"
    assert not os.path.exists("planted")
    if not (command == "vl-export" or name == "trust in itself"):  # which read other files, and other settings
        assert "reaches beyond the settings of a run" in said or "comes from the run's folder" in said


def test_what_ships_may_come_from_a_run() -> None:
    named = [
        line.split()[-1] if "#" not in line else line.split("#")[0].split()[-1]
        for file in Path(config_folder()).rglob("*.yaml")
        if "hydra" not in file.parts
        for line in file.read_text().splitlines()
        if line.strip().startswith("_target_:") and not line.startswith("    ")
    ]
    assert len(named) > 60
    assert [name for name in named if not harmless(name)] == []


def test_code_of_the_users_own_is_trusted_when_they_say_so(tmp_path: Path) -> None:
    config = configuration(tmp_path, *SMALL)
    with pytest.raises(ValueError, match=r"trust=\[small_images\]"):
        check_targets(config)
    check_targets(config, ["small_images"])


def test_the_runs_words_come_first_and_this_commands_win(tmp_path: Path) -> None:
    words = ["architecture=lenet", "cut=1", "trainer.max_epochs=3", "ckpt_path=an/older/run"]
    folder = run_folder(tmp_path / "0_cut=1,seed=0", words)
    found = after_the_runs([f"run={folder}", "cut=2", "--config-dir", "mine"], "run")
    assert found == ["--config-dir", "mine", "architecture=lenet", "trainer.max_epochs=3", f"run='{folder}'", "cut=2"]
    assert after_the_runs([f"run='{folder}'"], "run")[:2] == words[:2], "quoted as Hydra asks"
    assert after_the_runs(["run=nowhere"], "run") == ["run=nowhere"]


@pytest.mark.parametrize("place", ["", "checkpoints/epoch_004.ckpt", "alice/checkpoints/last.ckpt/alice.ckpt"])
def test_going_on_needs_no_repetition(place: str, tmp_path: Path) -> None:
    folder = run_folder(tmp_path / "run", ["cut=1"])
    assert going_on([f"ckpt_path={folder / place}"]) == ["cut=1", f"ckpt_path={folder / place}", "sweep.mode=null"]
    assert going_on(["-m", f"ckpt_path={folder}"]) == ["-m", f"ckpt_path={folder}"], "a sweep says all by itself"


def test_what_is_changed_is_said(tmp_path: Path) -> None:
    config = configuration(tmp_path, *SMALL, "trainer.max_epochs=3")
    folder = run_folder(tmp_path / "run", [], config)
    assert changes(config, folder) == f"The settings are those of {folder}."
    longer = configuration(tmp_path, *SMALL, "trainer.max_epochs=5", "optimizer.lr=0.1")
    assert changes(longer, folder).endswith("changed: optimizer.lr 0.001 → 0.1, trainer.max_epochs 3 → 5.")


@pytest.mark.parametrize("record", ["{a: 1}", "[1]", "[[a]]", "a: [", "[=]", "\xff\xfe"])
def test_a_record_that_is_none_is_a_sentence(record: str, tmp_path: Path) -> None:
    folder = run_folder(tmp_path / "run", [])
    (folder / ".hydra" / "overrides.yaml").write_bytes(record.encode("latin-1"))
    with pytest.raises(ValueError, match=r"overrides.yaml|no setting"):
        after_the_runs([f"run={folder}"], "run")


def test_an_unknown_target_is_refused_without_the_librarys_words(caplog: pytest.LogCaptureFixture) -> None:
    config = OmegaConf.create({"topology": {"_target_": "vertical_lightning.topologies.topology.Topology"}})
    with pytest.raises(ValueError, match="comes from the run's folder, and is no class of this package"):
        check_targets(config)
    assert not caplog.records
