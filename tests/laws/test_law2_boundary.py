"""Law 2: no gradient edge and no storage is shared between parties except through a hop."""

from __future__ import annotations

import io
import tokenize
from pathlib import Path

import pytest
import torch
from boundary import check_boundary, one_batch, one_step
from split_runs import OPTIMIZERS, TOPOLOGIES, Recorded, fit, mlp_network
from torch import Tensor, nn

import vertical_lightning
from vertical_lightning.schema import VerticalBatch
from vertical_lightning.split.audit import BoundaryError
from vertical_lightning.split.topology import Topology
from vertical_lightning.split.wire import Wire

PACKAGE = Path(vertical_lightning.__file__).parent


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_every_topology_passes(topology: str) -> None:
    check_boundary(topology)
    assert one_step(topology, parties=1 if topology == "centralized" else 3).audited


def send_the_tensor_itself(self: Wire, tensor: Tensor, *, sender: str, receiver: str) -> Tensor:
    return tensor


@pytest.mark.parametrize("topology", [name for name in TOPOLOGIES if name != "centralized"])
def test_a_missing_cut_is_named(topology: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Wire, "send", send_the_tensor_itself)
    with pytest.raises(BoundaryError, match=r"loss of bob reaches \w+\.1\.(weight|bias) of \w+"):
        one_step(topology)


def test_a_hop_without_a_cut_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = Wire.send

    def send(self: Wire, tensor: Tensor, *, sender: str, receiver: str) -> Tensor:
        honest(self, tensor, sender=sender, receiver=receiver)
        return tensor.clone()

    monkeypatch.setattr(Wire, "send", send)
    with pytest.raises(BoundaryError, match=r"of party_\d without a hop"):
        one_step("u_shaped")


def share_a_parameter(network: Topology) -> None:
    network.own("party_1")["fc2"][1].weight = network.own("party_0")["fc2"][1].weight


def share_a_view(network: Topology) -> None:
    network.own("party_1")["fc2"][1].weight = nn.Parameter(network.own("party_0")["fc2"][1].weight[:])


def share_a_part_of_a_storage(network: Topology) -> None:
    both = torch.zeros(2, 7)
    for row, party in zip(both, ("party_0", "party_1"), strict=True):
        network.own(party)["fc2"][1].bias = nn.Parameter(row)


def share_a_buffer(network: Topology) -> None:
    both = torch.ones(3)
    for party in ("party_1", "bob"):
        network.own(party).register_buffer("statistics", both)


SHARED = {
    share_a_parameter: r"fc2\.1\.weight of party_1 and fc2\.1\.weight of party_0",
    share_a_view: r"fc2\.1\.weight of party_1 and fc2\.1\.weight of party_0",
    share_a_part_of_a_storage: r"fc2\.1\.bias of party_1 and fc2\.1\.bias of party_0",
    share_a_buffer: r"statistics of bob and statistics of party_1",
}


@pytest.mark.parametrize("spoil", SHARED, ids=lambda spoil: spoil.__name__)
def test_shared_storage_is_named(spoil: object) -> None:
    with pytest.raises(BoundaryError, match=SHARED[spoil]):
        one_step("splitnn", spoil=spoil)


def test_blocks_in_one_storage_are_named() -> None:
    network = mlp_network("splitnn", 2, "sum")
    everything = torch.randn(8, 5)
    batch = VerticalBatch({"party_0": everything[:, :2], "party_1": everything[:, 2:]}, torch.zeros(8).long(), torch.arange(8))
    with pytest.raises(BoundaryError, match="features of party_1 and features of party_0 lie in one storage"):
        fit(Recorded(network, OPTIMIZERS["sgd"]), [batch])


class Leaking(Topology):
    """The label holder adds something of another party's to the logits."""

    stolen = "weight"

    def forward(self, features: dict[str, Tensor], wire: Wire | None = None) -> Tensor:
        logits = super().forward(features, wire)
        weight = self.own("party_0")["fc1"][1].weight
        return logits + {"weight": weight.sum(), "features": features["party_0"].sum(dim=1, keepdim=True)}[self.stolen]


@pytest.mark.parametrize(("stolen", "named"), [("weight", r"fc1\.1\.weight"), ("features", "features")])
def test_a_loss_that_touches_another_party_is_named(stolen: str, named: str) -> None:
    network = mlp_network("splitnn", 2, "sum")
    network.__class__ = type("Leaking", (Leaking,), {"stolen": stolen})
    with pytest.raises(BoundaryError, match=f"loss of bob reaches {named} of party_0"):
        fit(Recorded(network, OPTIMIZERS["sgd"]), one_batch(network))


def test_a_bottom_that_touches_another_bottom_is_named() -> None:
    class Nosy(nn.Linear):
        def forward(self, input: Tensor) -> Tensor:
            return super().forward(input) + other[0].sum()

    other: list[Tensor] = []

    def spoil(network: Topology) -> None:
        other.append(network.own("party_1")["fc1"][1].weight)
        network.own("party_0")["fc1"][1].__class__ = Nosy

    with pytest.raises(BoundaryError, match=r"embedding party_0->bob of party_0 reaches fc1\.1\.weight of party_1"):
        one_step("splitnn", spoil=spoil)


def test_the_audit_runs_on_the_first_batch_of_every_fit() -> None:
    module = one_step("splitnn")
    share_a_parameter(module.network)
    with pytest.raises(BoundaryError):
        fit(module, one_batch(module.network))


def test_an_in_place_operation_of_the_receiver_stays_there() -> None:
    sent = torch.ones(3, requires_grad=True) * 2
    received = Wire().send(sent, sender="alice", receiver="bob")
    with torch.no_grad():
        received.zero_()
    assert sent.tolist() == [2, 2, 2]


def test_only_the_wire_cuts_the_graph() -> None:
    found = set()
    for file in PACKAGE.rglob("*.py"):
        for token in tokenize.generate_tokens(io.StringIO(file.read_text()).readline):
            if token.type == tokenize.NAME and token.string in ("detach", "detach_", "requires_grad", "requires_grad_"):
                found.add(f"{file.relative_to(PACKAGE)}: {token.string}")
    assert found == {"split/wire.py: detach", "split/wire.py: requires_grad", "split/wire.py: requires_grad_"}
