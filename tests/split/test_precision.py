"""Half precision: bf16-mixed trains and halves the traffic; fp16 is refused."""

from __future__ import annotations

import pytest
import pytorch_lightning as pl
import torch
from split_runs import OPTIMIZERS, Recorded, batches, fit, mlp_network, quiet_trainer, serve

from vertical_lightning.split.split_module import check_precision

SHAPES = {f"party_{number}": (number + 2,) for number in range(2)}
WIDTHS = {"splitnn": 2 * 7, "u_shaped": 2 * 6 + 5}


def module(topology: str = "splitnn") -> Recorded:
    return Recorded(mlp_network(topology, 2, "sum"), OPTIMIZERS["adam"])


@pytest.mark.parametrize("topology", WIDTHS)
def test_bf16_mixed_trains_and_counts_two_bytes_an_element(topology: str) -> None:
    half, full = module(topology), module(topology)
    steps = batches(SHAPES, 3, torch.float32)
    fit(half, steps, max_epochs=5, precision="bf16-mixed")
    fit(full, steps, max_epochs=5)
    rows = 5 * sum(len(batch.labels) for batch in steps)
    assert half.wire.bytes.total() == 2 * rows * WIDTHS[topology] * 2
    assert full.wire.bytes.total() == 2 * rows * WIDTHS[topology] * 4
    assert {hop.received.dtype for hop in half.wire.hops} == {torch.bfloat16}
    assert all(weight.dtype == torch.float32 for weight in half.parameters())
    assert half.losses[-1] < half.losses[0]
    torch.testing.assert_close(torch.tensor(half.losses), torch.tensor(full.losses), rtol=0.05, atol=0.02)
    assert half.losses != full.losses


@pytest.mark.parametrize("precision", ["16", 16, "16-mixed", "16-true"])
def test_fp16_is_refused_with_the_reason(precision: str | int) -> None:
    with pytest.raises(ValueError, match=rf"precision={precision} is refused: .*loss scale.*bf16-mixed"):
        check_precision(precision)
    for allowed in (32, "32-true", "bf16-mixed", "64-true"):
        check_precision(allowed)


def test_a_trainer_with_fp16_does_not_start() -> None:
    one = module()
    with pytest.raises(ValueError, match="16-true is refused"):
        fit(one, batches(SHAPES, 1, torch.float32), precision="16-true")
    assert not one.losses


@pytest.mark.gpu
@pytest.mark.parametrize("precision", ["16-mixed", 16])
def test_a_trainer_with_a_loss_scale_does_not_start(precision: str | int) -> None:
    """On a GPU; on a CPU Lightning has no fp16 and takes bf16-mixed instead, with a warning of its own."""
    with pytest.raises(ValueError, match="16-mixed is refused"):
        fit(module(), batches(SHAPES, 1, torch.float32), precision=precision, accelerator="gpu")


def test_one_global_clip_and_accumulation_are_refused_by_lightning() -> None:
    for option in ({"gradient_clip_val": 1.0}, {"accumulate_grad_batches": 2}):
        trainer: pl.Trainer = quiet_trainer(**option)
        with pytest.raises(pl.utilities.exceptions.MisconfigurationException, match="manual optimization"):
            trainer.fit(module(), serve(batches(SHAPES, 1, torch.float32)))
