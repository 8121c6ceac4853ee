"""Work on several threads gives what one thread gives, every time."""

import pytest
import torch

from vertical_lightning.psi import parallel
from vertical_lightning.psi.openmined import OpenMined
from vertical_lightning.psi.star import Star

COUNTS = [0, 1, 6, 7, 8, 13, 14, 15, 50]


@pytest.fixture(name="small_parts")
def small_parts_fixture(monkeypatch):
    """Cut a few ids into many parts, for more threads than cores."""
    monkeypatch.setattr(parallel, "MOST", 7)
    monkeypatch.setattr(parallel, "LEAST", 2)
    before = torch.get_num_threads()
    torch.set_num_threads(4)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("count", COUNTS)
def test_parts_are_joined_in_order(count, small_parts):
    """Nothing is lost, repeated or moved at the edges, and all of it is counted."""
    points, told = [str(number).encode() for number in range(count)], []
    assert parallel.in_parallel(lambda part: [point + b"!" for point in part], points, told.append) == [
        p + b"!" for p in points
    ]
    assert sum(told) == count
    assert all(0 < step <= 7 for step in told)


def test_messages_are_byte_identical(monkeypatch, small_parts):
    """Request, setup and response of keys at work in parallel equal those of the same keys in one piece."""
    engine = OpenMined()
    mine, yours = engine.key(), engine.key()
    ids = [f"id-{number}".encode() for number in range(100)]

    def messages():
        request = mine.encrypt(ids)
        response = yours.reencrypt(request)
        points = {"request": request, "setup": sorted(yours.encrypt(ids)), "response": response}
        return {kind: engine.pack(kind, found) for kind, found in points.items()}, mine.strip(response)

    in_parallel = messages()
    monkeypatch.setattr(parallel, "LEAST", 1000)
    assert messages() == in_parallel


def test_a_bad_point_is_found_in_any_part(small_parts):
    """An error in a thread is the caller's error."""
    engine = OpenMined()
    points = engine.key().encrypt([f"{number}".encode() for number in range(30)])
    off_curve = b"\x02" + (1).to_bytes(32, "big")
    for place in (0, 10, 29):
        with pytest.raises(ValueError, match="no point of the curve"):
            engine.key().reencrypt([*points[:place], off_curve, *points[place + 1 :]])


@pytest.mark.slow
def test_a_hundred_runs_on_threads(small_parts):
    """A native object that two threads share kills the process within a few runs."""
    ids = {
        "bank": [f"a{n}" for n in range(200)],
        "shop": [f"a{n}" for n in range(50, 250)],
        "gym": [f"a{n}" for n in range(90, 300)],
    }
    results = {tuple(Star(OpenMined()).align(ids, "bank").positions["shop"].tolist()) for _ in range(100)}
    assert len(results) == 1
    assert len(next(iter(results))) == 110
