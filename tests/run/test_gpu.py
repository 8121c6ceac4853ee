"""The same run on a GPU: the accelerator changes where tensors lie, not what is learned."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from job import SMALL, configuration

from vertical_lightning.run.execution import execute

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no GPU")]

JOB = ["topology=dual_headed", "architecture=lenet", "cut=2", "trainer.max_epochs=2", *SMALL]


@pytest.mark.parametrize("precision", ["32", "bf16-mixed"])
def test_gpu_learns_what_the_cpu_learns(precision: str, tmp_path: Path) -> None:
    losses = {}
    for accelerator in ("cpu", "gpu"):
        config = configuration(tmp_path / accelerator, *JOB, f"trainer.precision={precision}")
        config.trainer.accelerator = accelerator
        losses[accelerator] = execute(config)["train/loss"]
    assert losses["gpu"] == pytest.approx(losses["cpu"], rel=1e-3 if precision == "32" else 3e-2)


def test_dropout_draws_on_the_gpu(tmp_path: Path) -> None:
    config = configuration(tmp_path, *JOB, "architecture=tabular", "cut=1")
    config.trainer.accelerator = "gpu"
    assert execute(config)["train/loss"] > 0
