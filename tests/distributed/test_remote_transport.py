"""The allow-list: declared hops, once a step, of the right shape and kind, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pipes import peers

import pytest
import torch
from torch import Tensor

from vertical_lightning.codecs.top_k import TopK
from vertical_lightning.distributed.remote_transport import RemoteTransport
from vertical_lightning.distributed.transport.failure import RefusedError
from vertical_lightning.distributed.transport.frame import Kind
from vertical_lightning.distributed.transport.peer import Peer
from vertical_lightning.split.codec import PLAIN, Codec

HOPS = {("alice", "bob"): (4,)}


def remotes(codec: Codec = PLAIN) -> tuple[RemoteTransport, RemoteTransport, Peer]:
    """Alice's and bob's crossings, and alice's peer."""
    here, there = peers()
    alice, bob = (
        RemoteTransport(party, peer, HOPS, rows=8, dtypes=[torch.float32], codec=codec)
        for party, peer in (("alice", {"bob": here}), ("bob", {"alice": there}))
    )
    for one in (alice, bob):
        one.open()
    return alice, bob, here


def meta(*shape: int) -> Tensor:
    return torch.empty(*shape, device="meta")


def carry(transport: RemoteTransport, tensor: Tensor, sender: str, receiver: str) -> Tensor | None:
    """Carry an embedding as it is."""
    payload = None if tensor.is_meta else {"tensor": tensor}
    carried = transport.carry(payload, tensor, sender, receiver)
    return None if carried is None else carried["tensor"]


def carry_back(transport: RemoteTransport, gradient: Tensor | None, like: Tensor, sender: str, receiver: str) -> Tensor | None:
    """Carry a gradient as it is."""
    payload = None if gradient is None else {"tensor": gradient}
    carried = transport.carry_back(payload, like, sender, receiver)
    return None if carried is None else carried["tensor"]


def test_an_embedding_and_its_gradient_cross() -> None:
    alice, bob, _ = remotes()
    sent = torch.randn(8, 4)
    assert carry(alice, sent, "alice", "bob") is sent
    found = carry(bob, meta(8, 4), "alice", "bob")
    assert found is not None and torch.equal(found, sent) and found.data_ptr() % 64 == 0
    gradient = torch.randn(8, 4)
    assert carry_back(bob, gradient, meta(8, 4), "bob", "alice") is gradient
    returned = carry_back(alice, None, sent, "bob", "alice")
    assert returned is not None and torch.equal(returned, gradient)


def test_no_gradient_is_said_so() -> None:
    alice, bob, _ = remotes()
    assert carry_back(bob, None, meta(8, 4), "bob", "alice") is None
    assert carry_back(alice, None, torch.randn(8, 4), "bob", "alice") is None


def test_who_has_no_end_here_sees_nothing() -> None:
    alice, _, _ = remotes()
    assert carry(alice, meta(8, 3), "carol", "bob") is None
    assert alice.here("alice") and not alice.here("bob")


WRONG: dict[str, Callable[[], Tensor]] = {
    "raw features": lambda: torch.randn(8, 784),
    "ids": lambda: torch.arange(8),
    "labels": lambda: torch.randint(10, (8, 4)),
    "weights": lambda: torch.randn(4, 4, 4),
    "more rows than a batch has": lambda: torch.randn(9, 4),
    "other numbers": lambda: torch.randn(8, 4, dtype=torch.float64),
}


@pytest.mark.parametrize("what", WRONG)
def test_the_sender_refuses_what_is_not_declared(what: str) -> None:
    alice, _, peer = remotes()
    with pytest.raises(RefusedError, match="alice refuses the embedding alice->bob: it is"):
        carry(alice, WRONG[what](), "alice", "bob")
    assert not peer.framed["sent", Kind.TENSOR], "something was sent"


@pytest.mark.parametrize(("sender", "receiver"), [("alice", "carol"), ("alice", "server")])
def test_a_way_that_is_not_declared_is_refused(sender: str, receiver: str) -> None:
    alice, _, _ = remotes()
    with pytest.raises(RefusedError, match=f"refuses to pass on a tensor {sender}->{receiver}: the topology declares"):
        carry(alice, torch.randn(8, 4), sender, receiver)


def test_the_label_holder_cannot_send_an_embedding_down_the_gradients_way() -> None:
    _, bob, _ = remotes()
    with pytest.raises(RefusedError, match="refuses to pass on a tensor bob->alice"):
        carry(bob, torch.randn(8, 4), "bob", "alice")


def test_a_hop_is_crossed_once_a_step() -> None:
    alice, _, _ = remotes()
    carry(alice, torch.randn(8, 4), "alice", "bob")
    with pytest.raises(RefusedError, match="twice in one step"):
        carry(alice, torch.randn(8, 4), "alice", "bob")
    alice.open()
    carry(alice, torch.randn(8, 4), "alice", "bob")


def slip(peer: Peer, tensor: Tensor, tag: int = 0, shape: Tensor | None = None) -> None:
    """Send past the sender's own checks, as a party that does not keep to the rules."""
    peer.send(Kind.TENSOR, tensor.reshape(-1).view(torch.uint8), tag, tensor if shape is None else shape)


@pytest.mark.parametrize(
    ("tensor", "tag", "said"),
    [
        (torch.randn(7, 4), 0, r"it is \[7, 4\] of torch.float32; it must be \[8, 4\]"),
        (torch.randn(4, 8), 0, r"it is \[4, 8\]"),
        (torch.zeros(8, 4, dtype=torch.bfloat16), 0, "of torch.bfloat16; it must be"),
        (torch.full((8, 4), torch.nan), 0, "not finite"),
        (torch.full((8, 4), torch.inf), 0, "not finite"),
        (torch.randn(8, 4), 1, "hop 1 came where the embedding alice->bob, 0, was due"),
        (torch.zeros(0), 0, r"it is \[0\]"),
    ],
)
def test_the_receiver_refuses_what_is_wrong(tensor: Tensor, tag: int, said: str) -> None:
    _, bob, peer = remotes()
    slip(peer, tensor, tag)
    with pytest.raises(RefusedError, match=said):
        carry(bob, meta(8, 4), "alice", "bob")


def test_a_shape_that_does_not_fit_its_bytes_is_refused() -> None:
    _, bob, peer = remotes()
    slip(peer, torch.randn(8, 3), shape=torch.empty(8, 4))
    with pytest.raises(RefusedError, match="96 bytes, which are not those of its shape"):
        carry(bob, meta(8, 4), "alice", "bob")


def test_large_finite_numbers_are_not_refused() -> None:
    """Their sum overflows, they do not."""
    alice, bob, _ = remotes()
    large = torch.full((8, 4), 3e38)
    with ThreadPoolExecutor() as pool:
        pool.submit(carry, alice, large, "alice", "bob")
        found = carry(bob, meta(8, 4), "alice", "bob")
        assert found is not None and torch.equal(found, large)


@pytest.mark.parametrize(
    ("values", "indices", "said"),
    [
        (torch.randn(8, 2), torch.tensor([[0, 9]] * 8, dtype=torch.uint8), "its indices must ascend within rows of 4 numbers"),
        (torch.randn(8, 2), torch.tensor([[1, 1]] * 8, dtype=torch.uint8), "its indices must ascend"),
        (torch.randn(8, 2), torch.zeros(8, 2, dtype=torch.int16), "of torch.int16; it must be .* of torch.uint8"),
        (torch.randn(8, 3), torch.zeros(8, 3, dtype=torch.uint8), r"it is \[8, 3\] of torch.float32; it must be \[8, 2\]"),
        (torch.full((8, 2), torch.nan), torch.zeros(8, 2, dtype=torch.uint8), "not finite"),
    ],
)
def test_only_what_the_codec_declares_may_come(values: Tensor, indices: Tensor, said: str) -> None:
    _, bob, peer = remotes(TopK(0.5))
    slip(peer, values)
    slip(peer, indices)
    with pytest.raises(RefusedError, match=said):
        bob.carry(None, meta(8, 4), "alice", "bob")


def test_a_payload_and_its_gradient_cross() -> None:
    alice, bob, _ = remotes(TopK(0.5))
    payload = TopK(0.5).encode(torch.randn(8, 4))
    assert alice.carry(payload, meta(8, 4), "alice", "bob") is payload
    arrived = bob.carry(None, meta(8, 4), "alice", "bob")
    assert arrived is not None and all(torch.equal(arrived[name], part) for name, part in payload.items())
    assert bob.carry_back(None, meta(8, 4), "bob", "alice", arrived) is None
    assert alice.carry_back(None, meta(8, 4), "bob", "alice", payload) is None
