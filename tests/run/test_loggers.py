"""A run is logged where one asked for it: hyper-parameters, texts and final metrics; and its last line says where they are."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest
import yaml
from hydra import compose, initialize_config_dir
from job import SMALL, configuration, run
from sweeps import sweep

from vertical_lightning.config import folder_name
from vertical_lightning.config.compose import config_folder
from vertical_lightning.sweep.where_logged import how_to_look_at_jobs

SHORT = [*SMALL, "trainer.max_epochs=1", "trainer.limit_train_batches=2"]
TEXTS = ("configuration", "topology", "leak_statement", "boundary")


def last_lines(capsys: pytest.CaptureFixture[str], count: int = 1) -> list[str]:
    return capsys.readouterr().out.strip().split("\n")[-count:]


def test_csv_has_it_all(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    metrics = run(tmp_path, *SHORT, "logger=csv")
    file = tmp_path / "csv" / "metrics.csv"
    assert last_lines(capsys) == [str(file)]
    found = {name: float(value) for row in csv.DictReader(file.open()) for name, value in row.items() if value}
    assert {name: found[name] for name in metrics} == pytest.approx(metrics)
    assert yaml.safe_load((file.parent / "hparams.yaml").read_text())["architecture"] == "Mlp"
    for text in TEXTS:
        assert (file.parent / f"{text}.txt").read_text().strip()
    assert not list(tmp_path.glob("events*"))


def test_several_are_each_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(tmp_path, *SHORT, "logger=[csv,tensorboard]")
    assert set(last_lines(capsys, 2)) == {f"tensorboard --logdir {tmp_path}", f"{tmp_path}/csv/metrics.csv"}
    assert list(tmp_path.glob("events*")) and (tmp_path / "csv" / "metrics.csv").is_file()


def test_none_leaves_the_metrics(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    metrics = run(tmp_path, *SHORT, "logger=none")
    [last] = last_lines(capsys)
    assert json.loads(Path(last).read_text()) == metrics
    assert not list(tmp_path.glob("events*"))


def test_a_sweep_says_where_all_its_jobs_are(tmp_path: Path) -> None:
    done = sweep(tmp_path, "cut=1", "logger=csv,[tensorboard]", "hydra.sweep.dir=a sweep", "trainer.limit_train_batches=2")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().split("\n")[-2:] == ["a sweep/*/csv/metrics.csv", "tensorboard --logdir 'a sweep'"]
    assert len(list(tmp_path.glob("a sweep/*/csv/metrics.csv"))) == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["logger=none"], ["{}/*/metrics.json"]),
        (["logger=tensorboard"], ["tensorboard --logdir {}"]),
        (["logger=tensorboard", "logger.tensorboard.save_dir=all"], ["tensorboard --logdir all"]),
        (["logger=[csv,mlflow]"], ["{}/*/csv/metrics.csv", "mlflow ui --backend-store-uri sqlite:///{}/JOB/mlflow.db"]),
        (["logger=mlflow", "logger.mlflow.tracking_uri=http://a"], ["mlflow ui --backend-store-uri http://a"]),
        (["logger=wandb"], ["wandb: project vertical_lightning"]),
    ],
)
def test_how_to_look_at_a_sweep(words: list[str], said: list[str], tmp_path: Path) -> None:
    jobs = [configuration(tmp_path / str(number), *words) for number in range(2)]
    assert how_to_look_at_jobs(jobs, tmp_path).split("\n") == [line.format(tmp_path) for line in said]


def test_how_to_look_at_a_sweep_of_several_processes_or_without_a_network(tmp_path: Path) -> None:
    (tmp_path / "0" / "bob" / "wandb" / "offline-run-1").mkdir(parents=True)
    (tmp_path / "0" / "bob" / "metrics.json").touch()
    jobs = [configuration(tmp_path / "0", "logger=[csv,wandb]")]
    expected = {f"{tmp_path}/*/*/csv/metrics.csv", f"wandb sync {tmp_path}/*/*/wandb/offline-run-*"}
    assert set(how_to_look_at_jobs(jobs, tmp_path).split("\n")) == expected


@pytest.mark.parametrize("name", ["wandb", "mlflow"])
def test_what_is_not_installed_is_said_before_anything_runs(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vertical_lightning.config.settings.find_spec", lambda package: None)
    with pytest.raises(ValueError, match=re.escape(f"pip install 'vertical_lightning[{name}]'")):
        run(tmp_path, *SHORT, f"logger={name}")
    assert not list(tmp_path.iterdir())


def test_mlflow_has_it_all(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mlflow = pytest.importorskip("mlflow")
    metrics = run(tmp_path, *SHORT, "logger=mlflow")
    [last] = last_lines(capsys)
    client = mlflow.MlflowClient(last.removeprefix("mlflow ui --backend-store-uri "))
    [experiment] = client.search_experiments(filter_string="name = 'vertical_lightning'")
    [found] = client.search_runs([experiment.experiment_id])
    assert found.info.status == "FINISHED"
    assert found.data.metrics["test/loss"] == pytest.approx(metrics["test/loss"])
    assert found.data.metrics["wire/bytes"] == metrics["wire/bytes"]
    assert found.data.params["architecture"] == "Mlp"
    assert {file.path for file in client.list_artifacts(found.info.run_id)} == {f"{text}.txt" for text in TEXTS}


def test_wandb_has_it_all_and_the_next_run_is_another(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wandb = pytest.importorskip("wandb")
    folders = []
    for number in range(2):
        run(tmp_path / str(number), *SHORT, "logger=wandb", "logger.wandb.offline=true")
        assert wandb.run is None
        wandb.teardown()  # its service writes the record, and may do so after the run has ended
        [last] = [line for line in capsys.readouterr().out.split("\n") if line.startswith("wandb sync ")]
        folders.append(Path(last.removeprefix("wandb sync ")))
        [record] = folders[-1].glob("*.wandb")
        content = record.read_bytes()
        for wanted in (b"test/loss", b"wire/bytes", b"architecture.hidden", b"leak_statement"):
            assert wanted in content
    assert folders[0].is_relative_to(tmp_path / "0") and folders[1].is_relative_to(tmp_path / "1")


def test_a_runs_name_is_in_its_folders_name_and_in_the_loggers(tmp_path: Path) -> None:
    config = configuration(tmp_path, "logger=[wandb,mlflow]", "run_name=wide")
    assert config.logger.wandb.name == config.logger.mlflow.run_name == "wide"


@pytest.mark.parametrize("command", ["train", "party"])
@pytest.mark.parametrize(("words", "end"), [(["run_name=a/b"], "_a_b"), ([], "")])
def test_a_runs_folder_ends_with_its_name(command: str, words: list[str], end: str) -> None:
    folder_name.register()
    own = ["name=alice"] if command == "party" else []
    with initialize_config_dir(config_folder(), version_base="1.3"):
        folder = compose(command, [*own, *words], return_hydra_config=True).hydra.run.dir
    assert re.fullmatch(rf"logs/runs/[\d-]+_[\d-]+{'_alice' if own else ''}{end}", folder)
