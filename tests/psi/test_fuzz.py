"""Thousands of broken messages: each is refused in words, at once, and none misaligns."""

import random
import struct
from collections import Counter

import pytest

from vertical_lightning.psi.channel import LocalChannel
from vertical_lightning.psi.client import Client
from vertical_lightning.psi.frames import Line
from vertical_lightning.psi.handshake import Hello
from vertical_lightning.psi.openmined import OpenMined
from vertical_lightning.psi.protocol_error import ProtocolError
from vertical_lightning.psi.result_cache import ResultCache, pack, unpack
from vertical_lightning.psi.server import Server
from vertical_lightning.psi.star import Star
from vertical_lightning.psi.transcript import STEPS

ENGINE = OpenMined()
BANK = [b"id-%02d" % number for number in (7, 3, 9, 1, 5, 8)]
SHOP = [b"id-%02d" % number for number in (9, 2, 7, 4, 1, 5, 6)]
POINTS = ENGINE.key().encrypt(BANK)
MUTATIONS = 2_000


def mutate(message, dice):
    """Change a message in one of the ways that lines, disks and cheats change messages."""
    content, at = bytearray(message), dice.randrange(len(message) + 1)
    way = dice.randrange(7)
    if way == 0 and content:
        content[at % len(content)] ^= 1 << dice.randrange(8)
    elif way == 1:
        del content[at:]
    elif way == 2:
        content[at:at] = dice.randbytes(dice.randrange(1, 50))
    elif way == 3:
        del content[at : at + dice.randrange(1, 40)]
    elif way == 4:
        content[at : at + 8] = dice.choice([b"\xff" * 8, b"\0" * 8, struct.pack(">Q", 2**63), struct.pack("<Q", 2**31)])
    elif way == 5:
        content[at:at] = content[dice.randrange(len(content) + 1) :]
    else:
        content = bytearray(dice.randbytes(dice.randrange(len(message) * 2 + 1)))
    return bytes(content)


def mutations(message, seed, count=MUTATIONS):
    """Return changed messages, none of them the message itself."""
    dice = random.Random(seed)
    return [changed for changed in (mutate(message, dice) for _ in range(count)) if changed != message]


def outcome(read, message):
    """Return what reading a message led to; anything but a result or a refusal fails the test."""
    try:
        return "taken", read(message)
    except ProtocolError as error:
        refusal = error
    assert "id-" not in str(refusal)
    return type(refusal).__name__, None


def test_hellos():
    """A changed hello is refused, or read as one that says something else."""
    hello = Hello(ENGINE.name, 6, 2)
    message = hello.pack()
    for changed in mutations(message, "hello"):
        kind, found = outcome(Hello.unpack, changed)
        assert kind == "HandshakeError" or found != hello


@pytest.mark.parametrize("kind", ["request", "setup", "response"])
def test_messages_of_points(kind):
    """What is taken has the form of as many distinct points as were announced; everything else is refused."""
    points = sorted(POINTS)
    message = ENGINE.pack(kind, points)
    kinds = Counter()
    for changed in mutations(message, kind):
        name, found = outcome(lambda changed: ENGINE.unpack(kind, changed, len(points)), changed)
        kinds[name] += 1
        if name == "taken":
            assert len(set(found)) == len(points) and all(len(point) == 33 for point in found) and found != points
    assert len(kinds) > 2, "several kinds of refusals were tried"


@pytest.mark.parametrize("size", [0, 5, 300_000])
def test_frames(size):
    """A line takes a changed frame only if the message is still one that may come; it never waits for what cannot come."""
    here, there = LocalChannel.pair()
    Line(here).send("request", bytes(size))
    frames = []
    for _ in range(max(1, -(-size // 143_360))):
        frames.append(there.receive())
    dice = random.Random(size)
    for _ in range(MUTATIONS):
        changed = list(frames)
        at = dice.randrange(len(frames))
        changed[at] = mutate(frames[at][:40], dice) + frames[at][40:]
        sender, receiver = LocalChannel.pair()
        for frame in changed:
            sender.send(frame)
        sender.close()
        kind, found = outcome(lambda _, receiver=receiver: Line(receiver).receive("request", most=size), None)
        assert kind != "taken" or len(found) <= size


@pytest.mark.slow
@pytest.mark.parametrize("step", STEPS)
def test_whole_runs(converse, step):
    """Whichever message of a run is changed, and however: the run ends in a refusal, never in rows."""
    dice = random.Random(step)
    for _ in range(MUTATIONS):

        def change(at, message):
            changed = message
            while at == step and changed == message:
                changed = mutate(message, dice)
            return changed

        with pytest.raises(ValueError, match=r"\S") as caught:  # "0 rows were given": nothing matched
            converse(Client(BANK[:3], ENGINE), Server(SHOP[:3], ENGINE), change)
        assert isinstance(caught.value, ProtocolError) or "0 rows were given" in str(caught.value)


def test_files_of_the_cache(tmp_path, monkeypatch):
    """A damaged file is never a result, whatever happened to it: the protocol runs again."""
    monkeypatch.setattr("os.fsync", lambda _: None)  # 13 ms a file here
    computed = Star(ENGINE).align({"bank": ["a", "b", "c"], "shop": ["c", "b"]}, "bank")
    keys = {"bank": [b"a", b"b", b"c"], "shop": [b"c", b"b"]}
    cache, runs = ResultCache(str(tmp_path)), []

    def get():
        return cache.get(["star"], keys, compute=lambda: (runs.append(1), computed)[1])

    get()
    path = next(one for one in tmp_path.rglob("shop") if one.parent.name != "secrets")
    whole = path.read_bytes()
    for count, changed in enumerate(mutations(whole, "cache"), start=2):
        path.write_bytes(changed)
        assert not get().cached
        assert len(runs) == count
    assert get().cached and path.read_bytes() == whole


def test_what_is_packed_is_read():
    """The file's content, both ways."""
    result = Star(ENGINE).align({"bank": ["a", "b"], "shop": ["b"]}, "bank")
    about, positions = unpack(pack(result, "bank"))
    assert about == {"bytes": result.bytes, "statement": result.statement} and positions.tolist() == [1]
