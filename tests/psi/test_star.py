"""Any number of parties end with the rows of the plain set intersection, in one order, and are told who knows."""

import random
import unicodedata
from pathlib import Path
from threading import Event

import numpy as np
import pytest
import torch
from hydra.utils import instantiate
from hypothesis import given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf

from vertical_lightning.psi import parallel
from vertical_lightning.psi.client import Client
from vertical_lightning.psi.local_client import LocalClient
from vertical_lightning.psi.openmined import OpenMined
from vertical_lightning.psi.star import Star

NAMES = ["bank", "shop", "clinic", "phone", "rail", "water"]
THREE = {"bank": ["e", "d", "c", "b", "a"], "shop": ["b", "c", "d", "x"], "clinic": ["d", "y", "b", "a"]}
# pairwise: bank and shop b c d; bank and clinic a b d; all: b d


class Spy(OpenMined):
    """An engine that keeps every secret it hands out."""

    def __init__(self):
        """Begin without secrets."""
        self.secrets = []

    def key(self):
        """Draw as the engine does, and remember."""
        key = super().key()
        self.secrets.append(key._secret)
        return key


def align(ids, label_holder="bank"):
    """Align by the engine that users get."""
    return Star(OpenMined()).align(ids, label_holder)


def entities(alignment, ids):
    """Return every party's sequence of ids, looked up in its own table."""
    return {party: [ids[party][row] for row in rows.tolist()] for party, rows in alignment.positions.items()}


KINDS = {
    "words": st.text("abé👍🏽0 zß中", min_size=1).filter(str.strip),
    "integers": st.integers(-(10**30), 10**30),
    "uuids": st.uuids().map(str),
    "composite": st.tuples(st.integers(0, 3), st.text("a-é", min_size=1)),
}


def plain(value):
    """Return what makes two ids one: obviously correct, and not the package's way."""
    if isinstance(value, tuple):
        return tuple(map(plain, value))
    return unicodedata.normalize("NFC", str(value)).strip()


@settings(max_examples=60, deadline=None)
@given(st.data(), st.integers(2, 6), st.sampled_from(sorted(KINDS)))
def test_the_result_is_the_plain_set_intersection(data, count, kind):
    """2 to 6 parties, any overlap, sizes, order and spelling: the same entities in the same order everywhere."""
    universe = data.draw(st.lists(KINDS[kind], min_size=1, max_size=12, unique_by=plain))
    own = st.lists(st.sampled_from(universe), min_size=1, max_size=12, unique=True)
    spelling = st.sampled_from(["NFC", "NFD"])
    ids = {}
    for party in NAMES[:count]:
        form = data.draw(spelling)
        spell = (lambda value, form=form: unicodedata.normalize(form, value)) if kind == "words" else (lambda value: value)
        ids[party] = [spell(value) for value in data.draw(own, label=party)]
    label_holder = data.draw(st.sampled_from(NAMES[:count]))
    expected = set.intersection(*({plain(value) for value in values} for values in ids.values()))
    if not expected:
        with pytest.raises(ValueError, match="No entity is common"):
            align(ids, label_holder)
        return
    found = entities(align(ids, label_holder), ids)
    assert list(found) == list(ids)
    sequences = [[plain(value) for value in sequence] for sequence in found.values()]
    assert all(sequence == sequences[0] for sequence in sequences)
    assert len(sequences[0]) == len(expected) and set(sequences[0]) == expected


@pytest.mark.parametrize(("own", "theirs"), [(1, 3000), (3000, 1), (1, 1), (2500, 2500)])
def test_sizes_that_differ_and_sizes_of_one(own, theirs):
    """A client far larger than its server and the reverse, total overlap, one row."""
    ids = {"bank": list(range(own)), "shop": list(range(theirs))[::-1]}
    found = entities(align(ids), ids)
    assert found["bank"] == found["shop"] == sorted(range(min(own, theirs)), key=str)


def test_the_order_of_rows_and_the_run_do_not_matter():
    """Shuffled tables give the same entity sequence; the same tables the same positions, whatever the keys."""
    ids = {party: list(map(str, range(start, 60))) for start, party in enumerate(NAMES[:3])}
    first, again = align(ids), align(ids)
    assert all(torch.equal(first.positions[party], again.positions[party]) for party in ids)
    shuffled = {party: random.Random(party).sample(values, len(values)) for party, values in ids.items()}
    moved = align(shuffled)
    assert entities(moved, shuffled) == entities(first, ids)
    assert not torch.equal(moved.positions["shop"], first.positions["shop"])


def test_positions_are_row_numbers():
    """Each party gets its own rows, as int64, in the given order of parties."""
    alignment = align(THREE)
    assert {party: rows.tolist() for party, rows in alignment.positions.items()} == {
        "bank": [3, 1],
        "shop": [0, 2],
        "clinic": [2, 0],
    }
    assert all(rows.dtype == torch.int64 for rows in alignment.positions.values())
    assert len(alignment) == 2 and alignment.rows == {"bank": 5, "shop": 4, "clinic": 4}
    assert alignment.seconds > 0


def test_the_label_holder_need_not_come_first():
    """The result does not depend on who is in the middle; the bytes do."""
    center, other = align(THREE), align(THREE, label_holder="clinic")
    assert entities(center, THREE) == entities(other, THREE)
    assert set(center.bytes) == {"bank->shop", "shop->bank", "bank->clinic", "clinic->bank"}
    assert set(other.bytes) == {"clinic->shop", "shop->clinic", "clinic->bank", "bank->clinic"}


def test_ids_of_different_spelling_and_type_meet():
    """Integers and text, NumPy and Python, NFC and NFD, composite keys."""
    ids = {
        "bank": [5, "Zoé", ("de", 7), " ann "],
        "shop": [("de", "7"), unicodedata.normalize("NFD", "Zoé"), "ann", np.int64(5)],
        "clinic": np.array(["ann", "5", "x"]),
    }
    two = align({party: ids[party] for party in ("bank", "shop")})
    assert two.positions["bank"].tolist() == [0, 1, 3, 2]  # "5" < "Z" < "a" < a composite key
    assert two.positions["shop"].tolist() == [3, 1, 2, 0]
    assert align(ids).positions["clinic"].tolist() == [1, 0]


@pytest.mark.parametrize("sizes", [(3, 3), (40, 20), (500, 3)])
def test_the_bytes_are_exact(sizes):
    """Per direction and to the byte: hellos 35, 35 a point, 4 a common row, 37 + 32 + 32 + 37 for the proof, 17 a frame."""
    bank, shop = sizes
    ids = {"bank": list(range(bank)), "shop": list(range(shop)), "clinic": [0, 1]}
    varint = 1 if 35 * shop < 2**7 else 2 if 35 * shop < 2**14 else 3
    assert align(ids).bytes == {
        "bank->shop": 5 * 17 + 35 + (35 * bank + 2) + 4 * 2 + 37 + 32,
        "shop->bank": 4 * 17 + 35 + (35 * shop + 1 + varint) + 35 * bank + 37 + 32,
        "bank->clinic": 5 * 17 + 35 + (35 * bank + 2) + 4 * 2 + 37 + 32,
        "clinic->bank": 4 * 17 + 35 + (35 * 2 + 2) + 35 * bank + 37 + 32,
    }


def test_the_statement_says_who_learned_what_with_the_numbers():
    """Every party is named with its numbers; pairwise numbers are the label holder's alone."""
    said = align(THREE).statement.splitlines()
    assert said[0] == "3 parties aligned 2 common ids."
    assert "bank learned that shop brought 4 ids, and which 3 of bank's own 5 ids are among them." in said
    assert "bank learned that clinic brought 4 ids, and which 3 of bank's own 5 ids are among them." in said
    for party in ("shop", "clinic"):
        assert (
            f"{party} learned that bank brought 5 ids, that 3 parties take part, "
            f"and which 2 of {party}'s own 4 ids all parties hold."
        ) in said
    assert "semi-honest" in said[-1]


def test_one_party_keeps_all_rows_and_nothing_crosses():
    """The label holder alone: sorted by canonical id, no bytes."""
    alignment = align({"bank": ["b", "é", "a", 10, 9]})
    assert alignment.positions["bank"].tolist() == [3, 4, 2, 0, 1]
    assert alignment.bytes == {} and "Nothing crossed" in alignment.statement and "5" in alignment.statement


def test_padding_hides_the_number_of_ids():
    """The result is the same, messages have the padded size, and the statement says only what others see."""
    found = Star(OpenMined(), bucket=10).align(THREE, "bank")
    assert {party: rows.tolist() for party, rows in found.positions.items()} == {
        party: rows.tolist() for party, rows in align(THREE).positions.items()
    }
    assert found.bytes["shop->bank"] == found.bytes["clinic->bank"] == 4 * 17 + 35 + (350 + 1 + 2) + 350 + 69
    assert found.rows == {"bank": 5, "shop": 4, "clinic": 4}
    said = found.statement.splitlines()
    assert "bank learned that shop brought at most 10 ids, and which 3 of bank's own 5 ids are among them." in said
    assert any(line.startswith("clinic learned that bank brought at most 10 ids, that 3 parties take part") for line in said)


def test_a_gate_counts_first_and_lets_enough_pass():
    """The same result, twice the points, and the statement tells of it."""
    free, gated = align(THREE), Star(OpenMined(), min_overlap=2).align(THREE, "bank")
    assert all(torch.equal(free.positions[party], gated.positions[party]) for party in THREE)
    assert gated.bytes["bank->shop"] == free.bytes["bank->shop"] + 2 * 17 + 35 + (35 * 5 + 2)
    assert "and first how many of them shop holds, then which 3 of bank's own" in gated.statement
    assert "would have stopped below 2" in gated.statement


@pytest.mark.parametrize(
    ("minimum", "never", "said"),
    [
        # Before any run that aligns is begun; the message names pair and number.
        (4, "match", r"psi\.min_overlap=4, but bank and shop share only 3 ids\. Nothing was aligned"),
        # Pairs share 3 each, all three only 2: before anything is revealed to the partners.
        (3, "reveal", r"all 3 parties share only 2 ids\. bank learned which of its own ids"),
    ],
)
def test_too_small_an_overlap_stops(minimum, never, said, monkeypatch):
    """The run ends before its next step."""
    called = []
    monkeypatch.setattr(Client, never, lambda *_: called.append(1))
    with pytest.raises(ValueError, match=said):
        Star(OpenMined(), min_overlap=minimum).align(THREE, "bank")
    assert not called


@pytest.mark.parametrize("name", ["bucket", "min_overlap"])
@pytest.mark.parametrize("number", [0, -1, 1.5, True, "abc"])
def test_numbers_of_ids_are_whole_and_positive(name, number):
    """Zero is no bucket, and no minimum; neither is half an id."""
    with pytest.raises(ValueError, match=f"psi.{name}={number} is no number of ids"):
        Star(OpenMined(), **{name: number})


def test_a_run_that_is_broken_off_ends_at_once(monkeypatch, tmp_path):
    """Ctrl-C, or one partner's error: threads that still work on other parts stop at their next step."""
    started, points = Event(), []

    class Slow(OpenMined):
        """Tells of every point."""

        def watched(self, done):
            """Count what is done after the run has been broken off."""

            def told(count):
                points.append(count)
                done(count)

            return super().watched(told)

    def fail(self):
        started.set()
        raise ZeroDivisionError

    monkeypatch.setattr(parallel, "LEAST", 1)
    monkeypatch.setattr(parallel, "MOST", 20)
    ids = {"bank": list(range(4000)), "shop": list(range(4000)), "clinic": [1]}
    original = LocalClient.match
    monkeypatch.setattr(LocalClient, "match", lambda pair: fail(pair) if "bank->clinic" in pair.bytes else original(pair))
    with pytest.raises(ZeroDivisionError):
        Star(Slow()).align(ids, "bank")
    assert started.is_set()
    assert sum(points) < 4 * 4000, "the other pair's work was not finished first"


def test_a_name_that_leads_elsewhere_is_refused():
    """A party's files are named after it."""
    with pytest.raises(ValueError, match="cannot name a party"):
        Star(OpenMined()).align({"bank": ["a"], "../evil": ["a"]}, "bank")


def test_nothing_common_tells_no_more_than_the_bucket():
    """Sizes are those that others see."""
    with pytest.raises(ValueError, match=r"Ids brought: bank 10, shop 10\. Ids shared: bank and shop 0"):
        Star(OpenMined(), bucket=10).align({"bank": ["a"], "shop": ["b", "c"]}, "bank")


def test_keys_are_fresh_per_peer_and_run():
    """Two runs with two peers: each pair draws two keys and two for the proof, and none is used twice."""
    spy = Spy()
    for _ in range(2):
        Star(spy).align(THREE, "bank")
    assert len(spy.secrets) == len(set(spy.secrets)) == 2 * 2 * 4


def test_nothing_in_common_is_an_error_with_sizes():
    """Sizes and pairs' sizes help to find the cause; no id is shown."""
    ids = {"bank": ["secret-1", "secret-2", "secret-3"], "shop": ["secret-1", "secret-2"], "clinic": ["secret-3"]}
    with pytest.raises(ValueError, match="No entity is common to all parties") as caught:
        align(ids)
    message = str(caught.value)
    assert "bank 3, shop 2, clinic 1" in message and "bank and shop 2, bank and clinic 1" in message
    assert "secret" not in message and "Check" in message


def test_bad_ids_name_their_party():
    """A party's bad ids are found before anything is sent."""
    spy = Spy()
    with pytest.raises(ValueError, match=r"shop: .*1 missing .*\(row 1\)"):
        Star(spy).align({"bank": ["a"], "shop": ["a", None]}, "bank")
    assert spy.secrets == []


def test_an_unknown_label_holder_is_refused():
    """The error lists who there is."""
    with pytest.raises(ValueError, match="label_holder='bnak' brings no ids; parties that do: bank, shop, clinic"):
        align(THREE, label_holder="bnak")


def test_aligning_moves_no_random_generator():
    """Shuffles and keys come from the operating system: a seeded training is the same with and without."""
    states = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()
    align(THREE)
    assert states == (random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist())


def test_seeding_does_not_make_keys_repeat():
    """A seed, which everybody may know, must not fix a secret."""
    spy = Spy()
    for _ in range(2):
        random.seed(0), np.random.seed(0), torch.manual_seed(0)
        Star(spy).align(THREE, "bank")
    assert len(set(spy.secrets)) == 16


def test_the_configuration_builds_the_aligner():
    """conf/psi/openmined.yaml as a user gets it."""
    path = Path(__file__).parents[2] / "conf" / "psi" / "openmined.yaml"
    aligner = instantiate(OmegaConf.load(path))
    assert aligner.align(THREE, "bank").positions["bank"].tolist() == [3, 1]
