"""What a split module keeps in a checkpoint besides Lightning's part, so that a resumed run reports the same."""

from __future__ import annotations

from collections import Counter
from typing import Any

import torch
from pytorch_lightning.trainer.states import TrainerFn


def kept(module: Any) -> dict[str, Any]:
    """Return a `SplitModule`'s byte counts, sums of the epoch and metrics, and which parties its parts belong to, in order."""
    network = module.network
    return {
        "members": network.members,
        "label_holder": network.label_holder,
        "trained": module.trained,
        "scheduled": [party for party in module.trained if party in module.stepping.scheduler_of],
        "shapes": network.shapes,  # with the outputs, to build the network without data
        "outputs": network.outputs,
        "wire_bytes": dict(module.wire.bytes),
        "evaluation_wire_bytes": dict(module.evaluation_wire.bytes),
        "metrics": {name: float(value) for name, value in module.trainer.callback_metrics.items()},
        **module.metrics.state_dict(),
        "optimizers": {party: kind(module, party) for party in module.trained},
        "threads": torch.get_num_threads(),  # with others, the last bits differ
    }


def kind(module: Any, party: str) -> str:
    """Name the class of a party's optimizer."""
    factory = module.stepping.optimizer_of.get(party)
    return str(getattr(getattr(factory, "func", factory), "__name__", factory))


def check(module: Any, checkpoint: dict[str, Any]) -> None:
    """Refuse the checkpoint of another network.

    Raises:
        ValueError: Names the first weight that one has and the other has not, or has in another shape.
    """
    own = {name: tuple(tensor.shape) for name, tensor in module.state_dict().items() if isinstance(tensor, torch.Tensor)}
    kept = {name: tuple(tensor.shape) for name, tensor in checkpoint["state_dict"].items() if isinstance(tensor, torch.Tensor)}
    for name in [*own, *kept]:
        if own.get(name) != kept.get(name):
            has, had = (f"of {list(shapes[name])}" if name in shapes else "none" for shapes in (own, kept))
            raise ValueError(
                f"the checkpoint is of another network: {name.removeprefix('network.parties.')} is {had} there and {has} here. "
                "Give the architecture, cut, merge, topology and parties that it was trained with."
            )


def restore(module: Any, checkpoint: dict[str, Any]) -> None:
    """Count on where the checkpoint's run was; a test of its weights is no part of that run.

    Raises:
        ValueError: It is of another network, or of other optimizers.
    """
    check(module, checkpoint)
    if module._trainer is None or module.trainer.state.fn != TrainerFn.FITTING:
        return
    for party in checkpoint["trained"]:
        if checkpoint["optimizers"].get(party) != kind(module, party):
            raise ValueError(
                f"the checkpoint has {party}'s {checkpoint['optimizers'].get(party)}, and optimizer= says "
                f"{kind(module, party)}. Go on with the same, or start from weights=PATH."
            )
    module.logged = dict(checkpoint["metrics"])
    module.wire.bytes = Counter(checkpoint["wire_bytes"])
    module.evaluation_wire.bytes = Counter(checkpoint["evaluation_wire_bytes"])
    module.metrics.load_state_dict(checkpoint)
