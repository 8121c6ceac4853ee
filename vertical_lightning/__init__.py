"""Train one network on columns that lie in different hands, and hand over no table.

The map, in reading order:

1. `run.train` — one experiment: a Hydra configuration becomes a data module, a split module and a Trainer (`run.build`).
2. `data.datamodule` — who holds what; private set intersection; one sampler of aligned row numbers.
3. `split.split_module` — the training step: forward, loss at the label holder, gradients back, every party's own optimizer.
4. `split.wire` — the only door between parties: it cuts the autograd graph, counts bytes and returns gradients.
5. `split.topology` — who owns which stages of an architecture, and the one forward loop.

The classes that a script needs are offered here by name, and imported when they are asked for: `vl-train --help` need not wait.
"""

import os
import warnings
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vertical_lightning.data.datamodule import VerticalDataModule
    from vertical_lightning.data.overlap import Overlap
    from vertical_lightning.data.simulation import Simulation
    from vertical_lightning.psi.openmined import OpenMined
    from vertical_lightning.psi.star import Star
    from vertical_lightning.split.split_module import SplitModule
    from vertical_lightning.split.topology import Topology

__all__ = ["OpenMined", "Overlap", "Simulation", "SplitModule", "Star", "Topology", "VerticalDataModule"]

PLACES = {
    "OpenMined": "psi.openmined",
    "Overlap": "data.overlap",
    "Simulation": "data.simulation",
    "SplitModule": "split.split_module",
    "Star": "psi.star",
    "Topology": "split.topology",
    "VerticalDataModule": "data.datamodule",
}

# Must be said before torch is imported. On shared cores, OpenMP's threads by default spin while they wait for one another:
# a step of the main job took 44 ms beside one other busy process, 2.4 ms with passive waiting.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

warnings.filterwarnings("ignore", message=".*LeafSpec.*")  # Lightning 2.6 with torch 2.15


def __getattr__(name: str) -> object:
    """Import a class when it is asked for."""
    if name not in PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{PLACES[name]}"), name)
