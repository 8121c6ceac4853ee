"""gloo's links, and how the parties come together; what torch does not promise of its process group is held here."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from vertical_lightning.distributed.transport.backend import Rendezvous
from vertical_lightning.distributed.transport.failure import RendezvousError
from vertical_lightning.distributed.transport.frame import HEADER, PAYLOAD, Header, Kind
from vertical_lightning.distributed.transport.gloo import Gloo, GlooLink, _listen

PATIENCE = 20.0


def free_address() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


def meeting(party: str, address: str, members: tuple[str, ...] = ("alice", "bob"), patience: float = PATIENCE) -> Rendezvous:
    pairs = frozenset(frozenset({one, "bob"}) for one in members if one != "bob")
    return Rendezvous(party, members, "bob", address, pairs, patience)


def together(*meetings: Rendezvous) -> list[dict[str, GlooLink]]:
    with ThreadPoolExecutor(len(meetings)) as pool:
        calls = [pool.submit(Gloo().connect, one) for one in meetings]
        return [dict(call.result(timeout=60)) for call in calls]


def frame(size: int) -> torch.Tensor:
    payload = torch.randint(256, (size,), dtype=torch.uint8)
    return torch.cat([Header(Kind.TENSOR, 0, 0, size, size).pack(), payload])


def test_frames_of_all_sizes_arrive_in_order_and_aligned() -> None:
    address = free_address()
    alice, bob = together(meeting("alice", address), meeting("bob", address))
    frames = [frame(size) for size in (0, 1, 64, 1000, PAYLOAD - 1, PAYLOAD, 5, 327_680, 7, 9)]
    with ThreadPoolExecutor(1) as pool:
        sent = pool.submit(lambda: [alice["bob"].send(one) for one in frames])
        for expected in frames:
            found = bob["alice"].receive()
            assert torch.equal(found, expected) and found.data_ptr() % 64 == 0
        sent.result(timeout=30)
    bob["alice"].send(frames[3])
    assert torch.equal(alice["bob"].receive(), frames[3])


def test_only_partners_get_a_link() -> None:
    address = free_address()
    members = ("alice", "carol", "bob")
    alice, carol, bob = together(*(meeting(one, address, members) for one in members))
    assert list(alice) == list(carol) == ["bob"] and list(bob) == ["alice", "carol"]


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(RendezvousError) as caught:
        call()
    return str(caught.value)


def test_who_does_not_come_is_named() -> None:
    said = refusal(lambda: Gloo().connect(meeting("bob", free_address(), ("alice", "carol", "bob"), patience=1.0)))
    assert "alice, carol did not come to 127.0.0.1" in said


def test_nobody_at_the_address() -> None:
    said = refusal(lambda: Gloo().connect(meeting("alice", free_address(), patience=2.0)))
    assert "bob does not answer at 127.0.0.1" in said and "rendezvous" in said


def test_a_port_that_is_taken() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        said = refusal(lambda: Gloo().connect(meeting("bob", f"127.0.0.1:{taken.getsockname()[1]}")))
    assert "bob cannot listen at" in said


def test_a_party_that_is_started_twice() -> None:
    """The second is refused; the first goes on, and meets carol."""
    address = free_address()
    members = ("alice", "carol", "bob")
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(Gloo().connect, meeting("alice", address, members))
        bob = pool.submit(Gloo().connect, meeting("bob", address, members))
        time.sleep(1.0)
        assert "a alice takes part at" in refusal(lambda: Gloo().connect(meeting("alice", address, members)))
        carol = Gloo().connect(meeting("carol", address, members))
        assert list(first.result(timeout=60)) == list(carol) == ["bob"]
        bob.result(timeout=60)


def test_parties_that_disagree_who_takes_part() -> None:
    address = free_address()
    with ThreadPoolExecutor(1) as pool:
        bob = pool.submit(Gloo(patience=5.0).connect, meeting("bob", address, patience=5.0))
        time.sleep(0.5)
        said = refusal(lambda: Gloo().connect(meeting("alice", address, ("alice", "carol", "bob"), patience=5.0)))
        assert "disagree who takes part: alice,bob at the first, alice,carol,bob here" in said
        assert "did not come" in refusal(lambda: bob.result(timeout=60))


def test_plaintext_stays_on_the_machine() -> None:
    with pytest.raises(ValueError, match=r"execution=gloo would send to 192.0.2.1 without encryption"):
        Gloo().connect(meeting("alice", "192.0.2.1:29500"))


@pytest.mark.parametrize("address", ["bob", "bob:", ":29500", "bob:0", "bob:70000", "bob:x"])
def test_an_address_that_is_none(address: str) -> None:
    with pytest.raises(ValueError, match="is no address"):
        Gloo().connect(meeting("alice", address))


def test_frames_are_bounded() -> None:
    assert HEADER + PAYLOAD < 2**21, "gRPC takes 4 MiB by default, and receives wait in buffers of this size"


def test_a_port_that_accepts_and_is_silent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        said = refusal(lambda: Gloo().connect(meeting("alice", f"127.0.0.1:{silent.getsockname()[1]}", patience=1.0)))
    assert "bob" in said and "127.0.0.1" in said


def test_the_store_listens_at_the_rendezvous_only() -> None:
    """Whatever the rendezvous is; another address of this machine stands for another network."""
    _, _, port = free_address().rpartition(":")
    listening = _listen("127.0.0.2", int(port))
    with socket.socket(fileno=listening) as found:
        assert found.getsockname() == ("127.0.0.2", int(port))
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", int(port)), 1.0)
