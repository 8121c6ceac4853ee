"""What a run no longer needs is gone from memory; what it needs is not."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from job import SMALL, configuration

from vertical_lightning.config.compose import config_folder
from vertical_lightning.run import table_cache
from vertical_lightning.run.build import experiment
from vertical_lightning.run.predict import table
from vertical_lightning.run.train import fit_and_test

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(autouse=True)
def empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_cache, "_kept", type(table_cache._kept)())


@pytest.mark.parametrize("baseline", ["null", "centralized"])
def test_unscaled_columns_are_gone_once_training_has_begun(baseline: str, tmp_path: Path) -> None:
    alone = [f"baseline={baseline}", *(["topology.owners=[]", "cut=null"] if baseline != "null" else [])]
    with experiment(configuration(tmp_path, *SMALL, "partition=halves", "trainer.max_epochs=1", *alone)) as run:
        trainer, module, data = run.trainer, run.module, run.data
        raw = [part.features for parts in data.tables.values() for part in parts.values() if part.features is not None]
        raw += [whole.features for whole in data.whole.values()]
        seen, digest = [weakref.ref(one) for one in raw], data.digest
        assert len(seen) >= 3
        raw.clear()
        fit_and_test(trainer, module, data, None)
        gc.collect()
        assert [one() for one in seen] == [None] * len(seen)
        assert data.digest == digest and data.state_dict()["alignment"] == digest
        data.prepare_data()
        data.setup("test")
        rows = data.splits["test"]
        logits = module.network(dict(rows.features))
        assert len(table(data, "test", logits)) == len(rows)


@pytest.mark.parametrize(("mode", "kept"), [(RunMode.RUN, 0), (RunMode.MULTIRUN, 1)])
def test_tables_are_kept_for_the_jobs_of_a_sweep_only(
    mode: RunMode, kept: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with initialize_config_dir(config_folder(), version_base="1.3"):
        hydra = compose("train", [f"hydra.mode={mode.name}"], return_hydra_config=True)
    monkeypatch.setattr(HydraConfig.instance(), "cfg", hydra)
    config = configuration(tmp_path, *SMALL, "trainer.max_epochs=1")
    with experiment(config) as run:
        fit_and_test(run.trainer, run.module, run.data, None)
    assert len(table_cache._kept) == kept
    if kept:
        again = table_cache.get(config.datamodule)
        again.setup("fit")
        assert again.digest == run.data.digest and all(
            part.features is not None for parts in again.tables.values() for part in parts.values() if part.labels is None
        )
