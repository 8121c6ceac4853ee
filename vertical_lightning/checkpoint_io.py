"""What a split module keeps in a checkpoint besides Lightning's part, so that a resumed run reports the same."""

from __future__ import annotations

from collections import Counter
from typing import Any

import torch
from pytorch_lightning.trainer.states import TrainerFn


def kept(module: Any) -> dict[str, Any]:
    """Return a `SplitModule`'s byte counts, sums of the epoch and metrics; and whose everything is, in order."""
    network = module.network
    return {
        "members": network.members,
        "label_holder": network.label_holder,
        "trained": module.trained,
        "scheduled": [party for party in module.trained if party in module.scheduler_of],
        "shapes": network.shapes,  # with the outputs, to build the network without data
        "outputs": network.outputs,
        "wire_bytes": dict(module.wire.bytes),
        "evaluation_wire_bytes": dict(module.evaluation_wire.bytes),
        "metrics": {name: float(value) for name, value in module.trainer.callback_metrics.items()},
        "window": module.window.state_dict(),
        "epoch_sums": module.epoch.state_dict(),
        "threads": torch.get_num_threads(),  # with others, the last bits differ
    }


def restore(module: Any, checkpoint: dict[str, Any]) -> None:
    """Count on where the checkpoint's run was; a test of its weights is no part of that run."""
    if module._trainer is None or module.trainer.state.fn != TrainerFn.FITTING:
        return
    module.logged = dict(checkpoint["metrics"])
    module.wire.bytes = Counter(checkpoint["wire_bytes"])
    module.evaluation_wire.bytes = Counter(checkpoint["evaluation_wire_bytes"])
    module.window.load_state_dict(checkpoint["window"])
    module.epoch.load_state_dict(checkpoint["epoch_sums"])
