"""Messages between two parties: whole, in order, counted, and refused where they are not what was due."""

from __future__ import annotations

import random
import time
from pipes import Pipe, peers
from threading import Thread, Timer

import pytest
import torch
from torch import Tensor

from vertical_lightning.distributed.transport.failure import PeerFailedError, PeerLostError, RefusedError, WireError, told
from vertical_lightning.distributed.transport.form import named, text
from vertical_lightning.distributed.transport.frame import HEADER, PAYLOAD, Header, Kind, as_tensor
from vertical_lightning.distributed.transport.line import INBOX
from vertical_lightning.distributed.transport.peer import Peer

ANYTHING = named(text(), text(), most=9)

LENGTHS = [0, 1, 63, 64, PAYLOAD - 1, PAYLOAD, PAYLOAD + 1, 3 * PAYLOAD + 7]


@pytest.mark.parametrize("length", LENGTHS)
def test_messages_arrive_whole_aligned_and_counted(length: int) -> None:
    alice, bob = peers()
    message = torch.randint(256, (length,), dtype=torch.uint8)
    alice.send(Kind.ALIGNMENT, message)
    header, found = bob.receive(Kind.ALIGNMENT, "a message", most=length)
    assert torch.equal(found, message) and header.total == length
    assert found.data_ptr() % 64 == 0 or not length
    frames = max(1, -(-length // PAYLOAD))
    for peer, direction in ((alice, "sent"), (bob, "received")):
        assert peer.payload[direction, Kind.ALIGNMENT] == length
        assert peer.framed[direction, Kind.ALIGNMENT] == length + frames * HEADER


def test_the_counters_are_what_the_link_carried() -> None:
    here, there = Pipe.pair()
    alice, bob = Peer("alice", "bob", here), Peer("bob", "alice", there)
    alice.send(Kind.TENSOR, torch.zeros(100_000, dtype=torch.uint8))
    alice.tell(what="anything")
    bob.receive(Kind.TENSOR, "a tensor", 100_000)
    bob.hear("anything", ANYTHING)
    assert sum(alice.framed.values()) == sum(map(len, here.sent)) == sum(bob.framed.values())


def test_what_was_not_due_is_refused() -> None:
    alice, bob = peers()
    alice.tell(what="a word")
    with pytest.raises(RefusedError, match="bob refuses what alice sent: a message CONTROL"):
        bob.receive(Kind.TENSOR, "a tensor", 100)


def test_what_is_too_long_is_refused() -> None:
    alice, bob = peers()
    alice.send(Kind.TENSOR, torch.zeros(101, dtype=torch.uint8))
    with pytest.raises(RefusedError, match="of 101 bytes came where a tensor was due, of TENSOR and at most 100 bytes"):
        bob.receive(Kind.TENSOR, "a tensor", 100)


def raw(header: Header, payload: bytes = b"") -> Tensor:
    return torch.cat([header.pack(), as_tensor(payload)])


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (torch.zeros(10, dtype=torch.uint8), "a frame of 10 bytes"),
        (torch.zeros(HEADER, dtype=torch.uint8), "none of vertical_lightning's"),
        (raw(Header(Kind.CONTROL, 5, 0, 2, 2), b"{}"), "frame 5, where 0 was due"),
        (raw(Header(Kind.CONTROL, 0, 0, 9, 9), b"{}"), "announces 9 bytes and holds 2"),
        (torch.zeros(HEADER + PAYLOAD + 1, dtype=torch.uint8), "are allowed"),
    ],
)
def test_a_frame_that_is_none_is_refused(frame: Tensor, said: str) -> None:
    here, there = Pipe.pair()
    bob = Peer("bob", "alice", there)
    here.send(frame)
    with pytest.raises(RefusedError, match=said):
        bob.hear("anything", ANYTHING)


def test_a_replayed_frame_is_refused() -> None:
    here, there = Pipe.pair()
    bob = Peer("bob", "alice", there)
    for _ in range(2):
        here.send(raw(Header(Kind.CONTROL, 0, 0, 2, 2), b"{}"))
    assert bob.hear("anything", ANYTHING) == {}
    with pytest.raises(RefusedError, match="frame 0, where 1 was due"):
        bob.hear("anything", ANYTHING)


@pytest.mark.parametrize("message", [b"", b"nonsense", b"{", b"\xff\xfe", b'{"a": 1, "a": 2}', b"[NaN]", b"9" * 5000])
def test_control_messages_that_cannot_be_read_are_refused(message: bytes) -> None:
    alice, bob = peers()
    alice.send(Kind.CONTROL, as_tensor(message))
    with pytest.raises(RefusedError, match="it is no message that can be read"):
        bob.hear("anything", ANYTHING)


def test_any_damage_is_an_error_and_never_a_crash() -> None:
    """2,000 frames with a few bytes changed, cut or doubled: each arrives unchanged in what matters, or is refused."""
    chance = random.Random(1)
    whole = raw(Header(Kind.TENSOR, 0, 3, 40, 40, torch.float32, (2, 5)), bytes(40))
    for _ in range(2000):
        frame = whole.clone()
        for _ in range(chance.randint(1, 3)):
            frame[chance.randrange(len(frame))] = chance.randrange(256)
        frame = frame[: chance.randint(0, len(frame))] if chance.random() < 0.2 else frame
        try:
            header = Header.unpack(frame)
        except ValueError:
            continue
        assert header.size <= len(frame) - HEADER and len(header.shape) <= 8


def test_the_end_is_told_once_and_stays() -> None:
    here, there = Pipe.pair()
    bob = Peer("bob", "alice", there)
    here.cut()
    for _ in range(3):
        with pytest.raises(PeerLostError, match="alice is lost: it has gone without a word"):
            bob.hear("anything", ANYTHING)


def test_an_abort_names_whose_error_it_was() -> None:
    alice, bob = peers()
    alice.abort(*told(KeyError("a secret"), "alice"))
    with pytest.raises(PeerFailedError, match="alice has stopped with KeyError") as caught:
        bob.hear("anything", ANYTHING)
    assert "secret" not in str(caught.value)
    assert told(caught.value, "bob") == ("alice", "KeyError"), "and is passed on as alice's"


def test_a_lost_party_is_named_further_off() -> None:
    alice, bob = peers()
    alice.abort(*told(PeerLostError("carol", "carol is lost"), "alice"))
    with pytest.raises(PeerLostError, match="carol is lost, says alice"):
        bob.hear("anything", ANYTHING)


def leave(peer: Peer) -> None:
    peer.say_goodbye()
    peer.await_goodbye()


def test_goodbye_waits_for_the_others() -> None:
    alice, bob = peers(timeout=20.0)
    bob.tell(what="the last word")
    bob._say(Kind.GOODBYE, {})
    assert alice.hear("the last word", ANYTHING) == {"what": "the last word"}
    started = time.monotonic()
    leave(alice)
    assert time.monotonic() - started < 10, "bob had said it already"
    with pytest.raises(WireError, match="has ended its run"):
        alice.hear("more", ANYTHING)


def test_the_end_of_one_is_noticed_while_another_is_waited_for() -> None:
    _, to_alice = peers()
    carol, to_carol = peers()
    to_alice.others = [to_carol]
    carol.abort("carol", "KeyError")
    with pytest.raises(PeerFailedError, match="carol has stopped with KeyError"):
        to_alice.hear("anything", ANYTHING)


def test_who_left_in_good_order_is_not_missed() -> None:
    alice, to_alice = peers()
    carol, to_carol = peers()
    to_alice.others = [to_carol]
    Thread(target=leave, args=[carol], daemon=True).start()
    Timer(1.5, alice.tell, kwargs={"what": "late"}).start()
    assert to_alice.hear("anything", ANYTHING) == {"what": "late"}
    leave(to_carol)


def test_silence_and_slowness_are_two_things() -> None:
    here, there = Pipe.pair()
    bob = Peer("bob", "alice", there, timeout=1.0, patience=60.0)
    with pytest.raises(PeerLostError, match=r"no sign of life for \d s \(execution.timeout=1\)"):
        bob.hear("anything", ANYTHING)
    _, bob = peers(timeout=1.0, patience=2.0)
    with pytest.raises(PeerLostError, match=r"lives, but has not sent anything for \d s \(execution.patience=2\)"):
        bob.hear("anything", ANYTHING)
    assert here.sent == []


def test_who_does_not_listen_takes_nobody_for_silent() -> None:
    """The inbox is full, so that not even signs of life are read any more."""
    alice, bob = peers(timeout=1.0)
    for _ in range(INBOX + 5):
        alice.send(Kind.TENSOR, torch.zeros(1, dtype=torch.uint8))
    time.sleep(2.0)
    bob.check_alive()
