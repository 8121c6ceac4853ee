"""What each party owns of a network, as modules that stand alone: its bottom, and its top where it owns later stages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from vertical_lightning.schema import Shape
from vertical_lightning.split.topology import Topology

RECORDED, CHECKED = 2, 3
"""Rows of the batch that a submodel is recorded with, and of the one that shows that any number will do."""


class Submodel(nn.Module):
    """Stages that one party runs without asking anyone, in evaluation mode.

    Args:
        name: Of the file.
        stages: What it runs, by name and in order.
        inputs: The name and the shape of a row of what it takes, in order.
        output: The name of what it returns.
        kind: The numbers that it takes.
        merge: Takes all inputs; None where there is one input.

    >>> submodel = Submodel("alice.bottom", {"fc1": nn.Linear(3, 2)}, {"features": (3,)}, "embedding", torch.float32)
    >>> submodel.summary()
    'features [batch, 3] → embedding [batch, 2]; 8 parameters'
    """

    def __init__(
        self,
        name: str,
        stages: Mapping[str, nn.Module],
        inputs: Mapping[str, Shape],
        output: str,
        kind: torch.dtype,
        merge: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.name, self.inputs, self.output, self.kind = name, inputs, output, kind
        self.merge, self.stages = merge, nn.ModuleDict(stages)
        self.eval()

    def forward(self, *inputs: Tensor) -> Tensor:
        tensor: Tensor = inputs[0] if self.merge is None else self.merge(inputs)
        for stage in self.stages.values():
            tensor = stage(tensor)
        return tensor

    def example(self, rows: int) -> tuple[Tensor, ...]:
        """Return a batch of noise that it takes, where it is."""
        device, noise = (
            next(chain(self.parameters(), self.buffers()), torch.empty(0)).device,
            torch.Generator().manual_seed(rows),
        )
        batch = (torch.randn(rows, *shape, dtype=self.kind, generator=noise) for shape in self.inputs.values())
        return tuple(block.to(device) for block in batch)

    def row(self) -> Shape:
        """Return the shape of a row that it gives."""
        with torch.no_grad():
            return tuple(self(*self.example(RECORDED)).shape[1:])

    def summary(self) -> str:
        """Say what goes in, what comes out, and how large it is."""
        shapes = [*self.inputs.items(), (self.output, self.row())]
        *takes, gives = (f"{name} [{', '.join(map(str, ('batch', *shape)))}]" for name, shape in shapes)
        return f"{', '.join(takes)} → {gives}; {sum(weight.numel() for weight in self.parameters()):,} parameters"


def submodels(network: Topology, kind: torch.dtype) -> Iterator[tuple[str, Submodel]]:
    """Cut a network into owner and submodel, in the order in which a batch meets them; on `meta` where it is elsewhere."""
    arriving = {}
    for party in network.feature_parties:
        stages = {name: network.own(party)[name] for name in network.bottoms[party]}
        submodel = Submodel(f"{party}.bottom", stages, {"features": network.shapes[party]}, "embedding", kind)
        yield party, submodel
        arriving[f"embedding_{party}"] = submodel.row()
    merge: nn.Module | None = network.own(network.merger)["merge"]
    owned: Counter[str] = Counter()
    for place, (owner, names) in enumerate(network.segments, start=1):
        owned[owner] += 1
        name = f"{owner}.top{owned[owner] if owned[owner] > 1 else ''}"
        stages = {stage: network.own(owner)[stage] for stage in names}
        output = "logits" if place == len(network.segments) else "embedding"
        submodel = Submodel(name, stages, arriving, output, kind, merge)
        yield owner, submodel
        arriving, merge = {f"embedding_{owner}": submodel.row()}, None


def recorded(submodel: Submodel) -> torch.jit.ScriptModule:
    """Record what the submodel does to a batch, and see that it does the same to one of another size.

    Raises:
        ValueError: It does not; a stage looks at the number of rows.
    """
    batch = submodel.example(CHECKED)
    with torch.no_grad():
        traced: torch.jit.ScriptModule = torch.jit.trace(  # type: ignore[no-untyped-call]
            submodel, submodel.example(RECORDED), check_trace=False
        )
        try:
            same = torch.allclose(traced(*batch), submodel(*batch), rtol=1e-3, atol=1e-5)
        except RuntimeError:
            same = False
    if not same:
        stages = ", ".join(submodel.stages)
        raise ValueError(f"{submodel.name} cannot be exported: one of its stages ({stages}) fits batches of one size only.")
    return traced


def torchscript(submodel: Submodel, file: Path) -> None:
    """Write TorchScript, for C++ and for Python without this package."""
    torch.jit.save(recorded(submodel), file)


def onnx(submodel: Submodel, file: Path) -> None:
    """Write an ONNX graph with the batch as its one free dimension.

    The exporter is torch's older one: the newer would want onnxscript besides, and nothing recorded has control flow.

    Raises:
        ValueError: Torch cannot write ONNX without the package of that name.
    """
    if find_spec("onnx") is None:
        raise ValueError("format=onnx needs onnx, which is not installed: pip install 'vertical_lightning[onnx]'.")
    torch.onnx.export(
        recorded(submodel),  # and not the submodel: the exporter knows no extra state, which Dropout has
        submodel.example(RECORDED),
        str(file),
        input_names=list(submodel.inputs),
        output_names=[submodel.output],
        dynamic_axes={name: {0: "batch"} for name in [*submodel.inputs, submodel.output]},
        dynamo=False,
    )


class Format(NamedTuple):
    """How a submodel becomes a file, and how the file's name ends."""

    write: Callable[[Submodel, Path], None]
    suffix: str


FORMATS = {"torchscript": Format(torchscript, "pt"), "onnx": Format(onnx, "onnx")}
