"""Fifty steps, whatever the number of processes, the topology, the architecture, the optimizer and the wire: the same bits."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest
from job import SMALL, run
from resumable import equal
from two_runs import comparable, weights

pytestmark = pytest.mark.filterwarnings("ignore")

PARTIES = {
    ("splitnn", 2): ["partition=images_labels"],
    ("splitnn", 3): ["partition=halves"],
    ("splitnn", 4): ["partition=vertical_strips", "partition.parties=3", "cut=1"],
    ("u_shaped", 3): ["partition=images_labels", "topology=u_shaped", "cut=1"],
    ("u_shaped", 4): ["partition=halves", "topology=u_shaped", "cut=1"],
    ("u_shaped", 2): ["partition=images_labels", "topology=u_shaped", "cut=1", "topology.owners=[alice,bob]"],
    ("relay", 2): ["partition=images_labels", "topology=relay", "cut=1", "topology.owners=[alice,bob]"],
    ("relay", 3): ["partition=images_labels", "topology=relay", "cut=1"],
    ("relay", 4): ["partition=images_labels", "topology=relay", "cut=[1,2,3]", "topology.owners=[relay,carol,bob]"],
}
"""By topology and number of processes; with two, a feature party owns the middle, too."""

ARCHITECTURES = {
    "mlp": ["architecture=mlp", "architecture.hidden=[32,24,16]"],
    "lenet": ["architecture=lenet"],
}
STITCHED = {("splitnn", 4, "lenet"): ["merge=stitch"]}
"""Strips are too narrow for a second convolution of their own."""

OPTIMIZERS = {"sgd": ["optimizer=sgd", "optimizer.momentum=0.9"], "adam": ["optimizer=adam"]}
STEPS = ["trainer.max_epochs=9", "trainer.max_steps=50", "psi.cache=false", "threads=1", "callbacks=[progress_bar,checkpoint]"]


# The other half takes as long again, and is run on request: pytest -m exhaustive.
WIRES = [("sgd", "gloo"), ("adam", "grpc"), ("adam", "gloo"), ("sgd", "grpc")]
CASES = [
    pytest.param(*shape, architecture, *way, marks=pytest.mark.slow if way in WIRES[:2] else pytest.mark.exhaustive)
    for shape, architecture, way in product(PARTIES, ARCHITECTURES, WIRES)
]


@pytest.mark.parametrize(("topology", "processes", "architecture", "optimizer", "wire"), CASES)
def test_fifty_steps(topology: str, processes: int, architecture: str, optimizer: str, wire: str, tmp_path: Path) -> None:
    words = [*SMALL, *STEPS, *ARCHITECTURES[architecture], *PARTIES[topology, processes], *OPTIMIZERS[optimizer]]
    words += STITCHED.get((topology, processes, architecture), [])
    one = run(tmp_path / "one", *words)
    apart = run(tmp_path / "apart", *words, f"execution={wire}")
    assert len(list((tmp_path / "apart").glob("*/metrics.json"))) == processes, "another number of processes"
    assert comparable(apart) == comparable(one)
    ours, theirs = weights(tmp_path / "apart"), weights(tmp_path / "one")
    assert theirs["step"] == 50
    assert ours.keys() == theirs.keys()
    assert not [name for name, value in ours.items() if not equal(value, theirs[name])]
