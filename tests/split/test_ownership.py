"""Who owns which stages, where parties have architectures of their own."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
import torch
from job import SMALL, configuration, run
from split_runs import Recorded, fit
from torch import nn

from vertical_lightning.architectures.lenet import LeNet
from vertical_lightning.architectures.mlp import Mlp
from vertical_lightning.merges.concat import Concat
from vertical_lightning.run.execution import execute
from vertical_lightning.run.export import write
from vertical_lightning.schema import VerticalBatch
from vertical_lightning.split.cut import IllegalCutError
from vertical_lightning.split.ownership import divide
from vertical_lightning.split.topology import Topology

CAROL = "++architecture.parties.carol._target_=vertical_lightning.architectures.lenet.LeNet"
SHAPES = {"alice": (1, 14, 28), "carol": (1, 28, 14)}


def mixed() -> Topology:
    """An MLP at alice, a LeNet at carol, the MLP's rest at bob."""
    own = {"carol": LeNet()}
    return Topology(Mlp([6, 5]), SHAPES, 3, "bob", owners=["bob"], cut={"carol": "fc1", "bob": 1}, merge=Concat, own=own)


@pytest.mark.parametrize(
    ("cut", "alice", "carol", "bob"),
    [
        (1, ["fc1"], ["conv1"], ["fc2", "head"]),
        ("50%", ["fc1", "fc2"], ["conv1", "conv2", "fc1"], ["head"]),
        ({"carol": "fc1", "bob": 1}, ["fc1"], ["conv1", "conv2", "fc1"], ["fc2", "head"]),
        ({"carol": -1, "alice": "fc2"}, ["fc1", "fc2"], ["conv1", "conv2", "fc1", "fc2"], ["head"]),
    ],
)
def test_each_bottom_ends_where_its_own_cut_says(cut: object, alice: list[str], carol: list[str], bob: list[str]) -> None:
    found = divide(Mlp([6, 5]), list(SHAPES), 3, owners=["bob"], cut=cut, own={"carol": LeNet()})  # type: ignore[arg-type]
    assert {party: list(row) for party, row in found.bottoms.items()} == {"alice": alice, "carol": carol}
    assert [(owner, list(row)) for owner, row in found.later] == [("bob", bob)]


def test_without_later_owners_each_ends_in_logits() -> None:
    found = divide(Mlp([6]), list(SHAPES), 3, owners=[], cut=None, own={"carol": LeNet()})
    assert [list(row)[-1] for row in found.bottoms.values()] == ["head", "head"]


@pytest.mark.parametrize(
    ("cut", "said"),
    [
        ({"carol": 2}, "gives 0 cuts of the common architecture; give one, by the name of any party"),
        ({"carol": 2, "alice": 1, "bob": 2}, "gives 2 cuts of the common architecture"),
        ("fc3", "carol has an architecture of its own; give it a cut of its own. cut=fc3 is no cut"),
        ({"carol": 9, "bob": 1}, "carol has an architecture of its own; .* cut=9 is no cut between the stages conv1"),
    ],
)
def test_no_such_cut(cut: object, said: str) -> None:
    with pytest.raises(IllegalCutError, match=said):
        divide(Mlp([6, 5]), list(SHAPES), 3, owners=["bob"], cut=cut, own={"carol": LeNet()})  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["merge", "guards", "codecs"])
def test_a_stage_may_not_be_named_as_a_partys_other_modules(name: str) -> None:
    class Odd:
        def stages(self, outputs: int) -> dict:
            return {name: lambda shape: nn.Identity(), "head": lambda shape: nn.Identity()}

    with pytest.raises(ValueError, match=f"an architecture's stage is named {name}"):
        divide(Odd(), ["alice"], 2, owners=["bob"], cut=1)


def test_the_network_equals_the_uncut_one() -> None:
    """Law 1: the same layers in one plain loop, in double precision."""
    torch.manual_seed(0)
    network, twin = mixed().double(), mixed().double()
    generator = torch.Generator().manual_seed(1)
    steps = [
        VerticalBatch(
            {party: torch.randn(6, *shape, generator=generator, dtype=torch.float64) for party, shape in SHAPES.items()},
            torch.randint(3, (6,), generator=generator),
            torch.arange(6),
        )
        for _ in range(3)
    ]
    module = Recorded(network, partial(torch.optim.SGD, lr=0.1, momentum=0.9))
    fit(module, steps)
    descent = torch.optim.SGD(twin.parameters(), lr=0.1, momentum=0.9)
    for batch in steps:
        descent.zero_grad()
        bottoms = [twin.run(party, twin.bottoms[party], batch.features[party]) for party in SHAPES]
        logits = twin.run("bob", twin.segments[0][1], twin.merge(bottoms))
        torch.nn.functional.cross_entropy(logits, batch.labels).backward()
        descent.step()
    for name, weight in twin.named_parameters():
        torch.testing.assert_close(network.get_parameter(name), weight, rtol=1e-12, atol=1e-12)


@pytest.mark.filterwarnings("ignore")
def test_a_run_with_its_checkpoint_and_its_export(tmp_path: Path) -> None:
    words = [*SMALL, "partition=halves", CAROL, "cut={carol:fc1,bob:1}", "trainer.max_epochs=2", "threads=1"]
    whole = run(tmp_path / "whole", *words)
    assert (
        run(tmp_path / "more", *words, f"ckpt_path={tmp_path}/whole", "trainer.max_epochs=3")["train/loss"]
        < whole["train/loss"]
    )
    hydra = tmp_path / "whole" / ".hydra"
    hydra.mkdir(exist_ok=True)
    from omegaconf import OmegaConf

    OmegaConf.save(configuration(tmp_path / "whole", *words), hydra / "config.yaml")
    told = write(str(tmp_path / "whole"), "carol", "torchscript", str(tmp_path / "out"), trust=["small_images"])
    assert "carol.bottom.pt: features [batch, 1, 28, 14] → embedding [batch, 120]" in told


def test_a_party_may_have_a_wider_layer_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [*SMALL, "partition=halves", "++architecture.parties.carol.hidden=[32,640]", "cut={carol:1,bob:1}"]
    run(tmp_path, *words, "trainer.fast_dev_run=true", "weights=null")
    assert "alice: fc1 | carol: fc1 → bob: merge fc2 head" in capsys.readouterr().out


def test_an_architecture_of_a_stranger_is_refused(tmp_path: Path) -> None:
    words = [*SMALL, "partition=halves", CAROL.replace("carol", "eve"), "cut=1"]
    with pytest.raises(ValueError, match="an architecture of its own is given for eve; the parties are alice, carol"):
        execute(configuration(tmp_path, *words))
