"""Weights to start from: of another run, of one party, or of torchvision. Optimizers and schedules begin anew."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from vertical_lightning.split.checkpoint_file import DAMAGED, read
from vertical_lightning.split.checkpoint_places import parts_of, place
from vertical_lightning.split.equipment import EQUIPMENT
from vertical_lightning.split.per_party import check_parties
from vertical_lightning.split.topology import Topology


def start_from(network: Topology, weights: str | Mapping[str, str]) -> str:
    """Load weights into the parties that are here, and say what was loaded.

    Args:
        network: With random weights.
        weights: The folder of a run or of a checkpoint, for all; or a path for each party that is to start from one: such a
            folder, a party's own file in one, or a state dict of the uncut network (.pt, .pth), as torchvision has them.

    Raises:
        ValueError: There are none, or they are of another network.
    """
    named = dict(weights) if isinstance(weights, Mapping) else {}
    check_parties("weights", named, network.members)
    asked = named or {party: str(weights) for party in network.parties}
    told = []
    for party in (party for party in asked if party in network.parties):
        path = Path(asked[party]).expanduser()
        if path.suffix in (".pt", ".pth"):
            told.append(f"{party} starts from {path}: {fill(network, party, path)}.")
        elif (file := path if path.is_file() else place(path, party)).is_file():
            load(network, party, file)
            told.append(f"{party} starts from {file}.")
        elif named or not parts_of(path):
            raise ValueError(
                f"weights={path} has no file {party}.ckpt. Give the folder of a run or of a checkpoint, or a state dict."
            )
    return "\n".join(told)


def load(network: Topology, party: str, file: Path) -> None:
    """Load a party's own checkpoint; that of a party with another name must be of the same stages."""
    stages = stages_of(read(file)["state_dict"])
    own = network.own(party)
    kept = {name: value for name, value in own.state_dict().items() if name.partition(".")[0] in EQUIPMENT}
    try:
        own.load_state_dict(stages | kept)
    except RuntimeError as error:
        raise ValueError(f"weights={file} is of another network than {party}'s: {error}.") from error


def stages_of(state_dict: Mapping[str, Any]) -> dict[str, Any]:
    """Return by name what a party's checkpoint keeps of its stages and merge; guards and codecs are a run's own."""
    own = {name.split(".", 3)[3]: value for name, value in state_dict.items()}  # network.parties.NAME.…
    return {name: value for name, value in own.items() if name.partition(".")[0] not in EQUIPMENT}


def fill(network: Topology, party: str, file: Path) -> str:
    """Load a party's stages from a state dict of the uncut network, whose tensors come in the same order.

    A tensor of another shape stays as it was drawn: a first layer for other images, a head for other classes.
    """
    given = tensors(file)
    own = [(owner, name, tensor) for owner, name, tensor in in_order(network, party)]
    if len(given) != len(own):
        raise ValueError(
            f"weights={file} has {len(given)} tensors, and the uncut network {len(own)}; give those of the same architecture."
        )
    mine = [(tensor, new) for (owner, _, tensor), new in zip(own, given.values(), strict=True) if owner == party]
    fitting = [(tensor, new) for tensor, new in mine if tensor.shape == new.shape]
    for tensor, new in fitting:
        tensor.data.copy_(new)
    if not fitting:
        raise ValueError(f"weights={file} has no tensor of a shape that {party}'s stages have; is it of this architecture?")
    return (
        f"{len(fitting)} of its {len(mine)} tensors, the others have another shape" if len(fitting) < len(mine) else "all of it"
    )


def tensors(file: Path) -> dict[str, Tensor]:
    """Read a state dict."""
    try:
        loaded: Any = torch.load(file, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise ValueError(f"weights={file} is no file.") from None
    except Exception as error:  # torch has many for files that are none of its own
        raise ValueError(DAMAGED.format(file)) from error
    if not isinstance(loaded, Mapping) or not all(isinstance(tensor, Tensor) for tensor in loaded.values()):
        raise ValueError(f"weights={file} is no state dict: it holds other things than tensors by name.")
    return dict(loaded)


def in_order(network: Topology, party: str) -> Iterator[tuple[str, str, Tensor]]:
    """Yield (owner, stage, tensor) of the network that a party's columns go through, in the order of an uncut state dict."""
    bottom = party if party in network.feature_parties else network.feature_parties[0]
    for owner, names in [(bottom, network.bottoms[bottom]), *network.segments]:
        for name in names:
            for tensor in network.own(owner)[name].state_dict(keep_vars=True).values():
                if isinstance(tensor, Tensor):
                    yield owner, name, tensor
