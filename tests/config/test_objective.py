"""A metric that is asked for by name is one that the run will have; a search is never told of no number."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from job import SMALL, configuration, run
from omegaconf import OmegaConf

from vertical_lightning.config.objective import check_names, values

MISTAKES = {
    "objective=val/acuracy": "objective=val/acuracy is no metric of this run; there are train/loss, .*val/accuracy",
    "objective=[val/accuracy,bytes]": "objective=bytes is no metric",
    "objective=val/rmse": "objective=val/rmse is no metric of this run; there are train/loss, train/accuracy",
    "callbacks.checkpoint.monitor=val/los": r"callbacks\.checkpoint\.monitor=val/los is no metric",
    "+scheduler.monitor=valloss": r"scheduler\.monitor=valloss is no metric",
    "objective=val/loss datamodule.val_fraction=0.0": "there are no validation rows",
}


@pytest.mark.parametrize("words", MISTAKES)
def test_an_unknown_metric_is_named_before_anything_runs(words: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=MISTAKES[words]):
        run(tmp_path, *SMALL, *words.split())
    assert not list(tmp_path.iterdir())


def test_what_a_run_has_may_be_asked_for(tmp_path: Path) -> None:
    for name in ("train/loss_step", "val/auroc", "test/r2", "wire/bytes", "leakage/alice", "psi/seconds"):
        check_names(configuration(tmp_path, f"objective={name}"))


@pytest.mark.parametrize(
    ("objective", "metrics", "answer"),
    [
        ("val/accuracy", {"val/accuracy": 0.5}, 0.5),
        ("val/accuracy", {"val/accuracy": math.nan}, -math.inf),
        ("val/loss", {"val/loss": math.nan}, math.inf),
        ("val/loss", {}, math.inf),
        (["val/auroc", "wire/bytes"], {"val/auroc": math.nan, "wire/bytes": 7.0}, (-math.inf, 7.0)),
        (None, {"val/accuracy": 0.5, "test/accuracy": 0.9}, 0.5),
        (None, {"val/rmse": 0.5}, 0.5),
    ],
)
def test_a_search_gets_a_number(objective: object, metrics: dict[str, float], answer: object) -> None:
    assert values(OmegaConf.create({"objective": objective}), metrics, search=True) == answer


def test_a_grid_gets_what_there_is() -> None:
    assert values(OmegaConf.create({"objective": "val/loss"}), {}, search=False) is None
