"""What goes over a channel: whole messages in small frames, and nothing that was not due."""

import struct

import pytest

from vertical_lightning.psi.channel import LocalChannel
from vertical_lightning.psi.frames import HEADER, PAYLOAD, Line
from vertical_lightning.psi.local_client import LocalClient
from vertical_lightning.psi.openmined import OpenMined
from vertical_lightning.psi.protocol_error import ClosedError, FrameError, MessageError, OrderError


def line():
    """Return the far end of a channel, and a line that listens to it."""
    here, there = LocalChannel.pair()
    return there, Line(here)


def frame(kind=2, number=0, total=3, payload=b"abc", size=None):
    """Write a frame by hand; step 2 is the request."""
    return struct.pack(">BIQI", kind, number, total, len(payload) if size is None else size) + payload


@pytest.mark.parametrize("size", [0, 1, PAYLOAD - 1, PAYLOAD, PAYLOAD + 1, 3 * PAYLOAD, 3 * PAYLOAD + 5])
def test_a_message_comes_back_whole(size):
    """Whatever its length, byte for byte; and every byte sent is counted."""
    message = bytes(index % 251 for index in range(size))
    here, there = map(Line, LocalChannel.pair())
    here.send("request", message)
    assert there.receive("request", most=size) == message
    assert here.sent == size + 17 * max(1, -(-size // PAYLOAD))


def test_frames_are_small_and_numbered():
    """No frame passes 143,377 bytes: a message of any size fits through gRPC."""
    there, mine = line()
    mine.send("request", bytes(2 * PAYLOAD + 1))
    frames = [there.receive() for _ in range(3)]
    assert [len(one) for one in frames] == [HEADER + PAYLOAD, HEADER + PAYLOAD, HEADER + 1]
    assert [struct.unpack_from(">BIQI", one)[:3] for one in frames] == [(2, n, 2 * PAYLOAD + 1) for n in range(3)]


@pytest.mark.parametrize(
    ("frames", "error", "said"),
    [
        ([b""], FrameError, "0 bytes"),
        ([b"GET / HTTP"], FrameError, "10 bytes"),
        ([frame(payload=bytes(PAYLOAD + 1), total=PAYLOAD + 1)], FrameError, "143,378 bytes"),
        ([frame(kind=99)], FrameError, "kind 99"),
        ([frame(kind=3)], OrderError, "'setup' came where 'request' was due"),
        ([frame(number=1)], FrameError, "Frame 1 of the request came where frame 0 was due"),
        ([frame(size=4)], FrameError, "says that it holds 4 bytes, but it holds 3"),
        ([frame(total=4)], FrameError, "holds 3 bytes, not those that were due"),
        ([frame(total=2)], FrameError, "holds 3 bytes"),
        ([frame(total=10**15)], MessageError, "announces 1,000,000,000,000,000 bytes; it may have 200,000"),
        ([frame(total=PAYLOAD + 3, payload=bytes(PAYLOAD)), frame(number=0, total=PAYLOAD + 3)], FrameError, "frame 1 was due"),
        ([frame(total=PAYLOAD + 3, payload=bytes(PAYLOAD)), frame(number=1, total=PAYLOAD + 4)], FrameError, "the first"),
    ],
)
def test_a_frame_that_was_not_due_is_refused(frames, error, said):
    """Malformed, too long, out of order, contradicting the first: each says what is wrong."""
    there, mine = line()
    for one in frames:
        there.send(one)
    with pytest.raises(error, match=said):
        mine.receive("request", most=200_000)


def test_a_closed_channel_stays_closed():
    """Who waits is told, every time."""
    there, mine = line()
    there.close()
    for _ in range(2):
        with pytest.raises(ClosedError):
            mine.receive("request", most=10)


class Broken(OpenMined):
    """An engine whose parties write setups that cannot be read."""

    def pack(self, kind, points):
        """Cut the last byte off a setup."""
        return super().pack(kind, points)[: -1 if kind == "setup" else None]


def test_an_error_of_either_end_reaches_the_caller():
    """The client's as it is; the server's instead of 'the other party has ended the run'."""
    engine = OpenMined()
    with pytest.raises(MessageError, match="setup"), LocalClient(("bank", [b"a"]), ("shop", [b"a"]), Broken(), 2) as pair:
        pair.match()
    with LocalClient(("bank", [b"a"]), ("shop", [b"a"]), engine, 2) as pair:
        pair._server.prepare = lambda: 1 / 0
        with pytest.raises(ZeroDivisionError):
            pair.match()


def test_a_pair_that_is_given_up_leaves_no_thread_waiting():
    """After match, nobody reveals: the server's thread ends."""
    import threading

    with LocalClient(("bank", [b"a"]), ("given_up", [b"a"]), OpenMined(), 2) as pair:
        pair.match()
        thread = next(one for one in threading.enumerate() if one.name == "given_up->bank")
    thread.join(timeout=10)
    assert not thread.is_alive()
