"""The engine writes the package's own messages, byte for byte, and refuses every other."""

from pathlib import Path

import private_set_intersection.python as native
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import vertical_lightning
from vertical_lightning.psi.openmined import ORDER, OpenMined
from vertical_lightning.psi.protocol_error import (
    MessageError,
    PointError,
    ProtocolError,
    RepeatedPointError,
    UnsortedSetupError,
)

ENGINE = OpenMined()
IDS = [b"ann", b"bob", "Zoé".encode(), b"\xff\x00\x00\x00\x01a", b"a\x00b"]
OFF_CURVE = b"\x02" + (1).to_bytes(32, "big")  # x = 1 has no y on P-256


def native_key(key):
    """Return a key as the package takes it."""
    return key._secret.to_bytes(32, "big")


def test_messages_are_the_packages_own():
    """Under the same keys, request, setup and response equal what the package writes."""
    mine, yours = ENGINE.key(), ENGINE.key()
    client = native.client.CreateFromKey(native_key(mine), True)
    server = native.server.CreateFromKey(native_key(yours), True)
    request = client.CreateRequest(IDS)
    setup = server.CreateSetupMessage(1e-9, len(IDS), IDS, native.DataStructure.RAW)

    points = mine.encrypt(IDS)
    assert ENGINE.pack("request", points) == request.SerializeToString()
    assert ENGINE.pack("setup", sorted(yours.encrypt(IDS))) == setup.SerializeToString()
    assert ENGINE.pack("response", yours.reencrypt(points)) == server.ProcessRequest(request).SerializeToString()


@settings(max_examples=10, deadline=None)
@given(st.lists(st.binary(min_size=1, max_size=8), min_size=1, max_size=5, unique=True))
def test_keys_commute_and_strip(ids):
    """Two keys may be applied in either order; each owner takes its own off again."""
    mine, yours = ENGINE.key(), ENGINE.key()
    both = yours.reencrypt(mine.encrypt(ids))
    assert both == mine.reencrypt(yours.encrypt(ids))
    assert mine.strip(both) == yours.encrypt(ids)
    assert len({*both, *mine.encrypt(ids), *yours.encrypt(ids)}) == 3 * len(ids)


def test_every_key_is_fresh():
    """No two keys are equal, and all are powers that the curve allows."""
    secrets = [ENGINE.key()._secret for _ in range(50)]
    assert len(set(secrets)) == 50
    assert all(0 < secret < ORDER for secret in secrets)


@pytest.mark.parametrize("count", [0, 1, 3, 4, 100, 468, 469, 600])
@pytest.mark.parametrize("kind", ["request", "setup", "response"])
def test_the_size_is_known_before_the_message(kind, count):
    """The formula counts the bytes exactly, at the varint's steps too."""
    assert len(ENGINE.pack(kind, [b"\2" * 33] * count)) == ENGINE.size(kind, count)


@pytest.mark.parametrize("kind", ["request", "setup", "response"])
def test_a_good_message_is_read(kind):
    """What was packed comes back."""
    points = sorted(ENGINE.key().encrypt(IDS))
    assert ENGINE.unpack(kind, ENGINE.pack(kind, points), len(IDS)) == points


@pytest.mark.parametrize("kind", ["request", "setup", "response"])
@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda points: points[:-1], MessageError),
        (lambda points: [*points, b"\3" * 33], MessageError),
        (lambda points: [points[0][:-1], points[1] + b"a", *points[2:]], PointError),
        (lambda points: [b"\4" + points[0][1:], *points[1:]], PointError),
        (lambda points: [points[0], *points[:-1]], RepeatedPointError),
        (lambda points: points[:1] * len(points), RepeatedPointError),
    ],
)
def test_bad_points_are_refused(kind, change, error):
    """Too few, too many, too short or long, of another form, or one twice."""
    points = sorted(ENGINE.key().encrypt(IDS))
    with pytest.raises(error, match=kind):
        ENGINE.unpack(kind, ENGINE.pack(kind, change(points)), len(points))


def test_only_a_setup_must_be_sorted():
    """A request is in random order; a setup out of order could tell about rows."""
    points = sorted(ENGINE.key().encrypt(IDS), reverse=True)
    assert ENGINE.unpack("request", ENGINE.pack("request", points), len(points)) == points
    with pytest.raises(UnsortedSetupError):
        ENGINE.unpack("setup", ENGINE.pack("setup", points), len(points))


@pytest.mark.parametrize("structure", [native.DataStructure.GCS, native.DataStructure.BLOOM_FILTER])
def test_other_setups_are_refused(structure):
    """A compressed setup would bring false positives, or crash the process."""
    server = native.server.CreateWithNewKey(True)
    setup = server.CreateSetupMessage(1e-9, 5, IDS, structure).SerializeToString()
    for count in range(10):
        with pytest.raises(MessageError):
            ENGINE.unpack("setup", setup, count)


@pytest.mark.parametrize(
    "message",
    [
        b"\x08\x00" + b"\x12\x21" + b"\2" * 33,  # asks for the size of the intersection only
        b"\x12\x21" + b"\2" * 33 + b"\x08\x01",  # the fields in another order
        b"\xff" * 37,
    ],
)
def test_messages_of_the_right_length_but_another_form_are_refused(message):
    """Only the one way of writing a request is read."""
    assert len(message) == ENGINE.size("request", 1)
    with pytest.raises(MessageError):
        ENGINE.unpack("request", message, 1)


@settings(max_examples=60, deadline=None)
@given(st.data(), st.sampled_from(["request", "setup", "response"]))
def test_noise_is_refused_or_read_as_points(data, kind):
    """Whatever bytes arrive, the only error is a ProtocolError, and what is read is well-formed."""
    message = data.draw(st.binary(min_size=ENGINE.size(kind, 1), max_size=ENGINE.size(kind, 1)))
    try:
        points = ENGINE.unpack(kind, message, 1)
    except ProtocolError:
        return
    assert len(points[0]) == 33


@pytest.mark.parametrize("operation", ["reencrypt", "strip"])
def test_points_off_the_curve_are_refused(operation):
    """A junk point ends the run; it does not reach the secret."""
    key = ENGINE.key()
    with pytest.raises(PointError, match="2 entries"):
        getattr(key, operation)([key.encrypt([b"ann"])[0], OFF_CURVE])


def test_one_file_imports_the_package():
    """Another engine can stand in, because nothing else knows this one."""
    root = Path(vertical_lightning.__file__).parent
    files = [path.relative_to(root).as_posix() for path in root.rglob("*.py") if "private_set_int" in path.read_text()]
    assert files == ["psi/openmined.py"]
