"""Two parties exchange nothing but bytes and end with the same entities; nothing else can be read from the bytes."""

import struct

import private_set_intersection.python as native

from vertical_lightning.psi.client import Client
from vertical_lightning.psi.openmined import OpenMined
from vertical_lightning.psi.server import Server
from vertical_lightning.psi.transcript import STEPS

ENGINE = OpenMined()
BANK = [b"id-%02d" % number for number in (7, 3, 9, 1, 5, 8)]
SHOP = [b"id-%02d" % number for number in (9, 2, 7, 4, 1, 5, 6)]
COMMON = [b"id-01", b"id-05", b"id-07", b"id-09"]


def parties():
    """Return the two ends of a new run."""
    return Client(BANK, ENGINE), Server(SHOP, ENGINE)


def test_both_parties_hold_the_same_entities(converse):
    """The client's matches are the set intersection; the server's rows are the same ids, sorted."""
    rows, server_rows = converse(*parties())
    assert {BANK[row] for row in rows} == set(BANK) & set(SHOP)
    assert [SHOP[row] for row in server_rows] == COMMON


def test_the_package_finds_the_same_rows_in_the_same_messages(converse):
    """The package's own GetIntersection is the oracle for the lookup under the inverse key."""
    seen = {}
    client, server = parties()
    rows, _ = converse(client, server, lambda step, message: seen.setdefault(step, message))
    oracle = native.client.CreateFromKey(client._key._secret.to_bytes(32, "big"), True)
    sent = oracle.GetIntersection(native.ServerSetup.FromString(seen["setup"]), native.Response.FromString(seen["response"]))
    assert sorted(client._order[index] for index in sent) == rows


def test_every_message_has_its_exact_size_and_carries_no_id(converse):
    """The byte formulas of a run, and no id on the wire."""
    seen = {}
    converse(*parties(), lambda step, message: seen.setdefault(step, message))
    assert {step: len(message) for step, message in seen.items()} == {
        "client hello": 35,
        "server hello": 35,
        "request": 35 * len(BANK) + 2,
        "setup": 35 * len(SHOP) + 3,
        "response": 35 * len(BANK),
        "reveal": 4 * len(COMMON),
        "proof": 37,
        "answer": 37 + 32,
        "verdict": 32,
    }
    assert set(seen) == set(STEPS)
    assert all(type(message) is bytes for message in seen.values())
    assert not any(key in message for message in seen.values() for key in {*BANK, *SHOP})


def test_the_reveal_holds_positions_in_the_servers_own_setup(converse):
    """Ascending numbers that mean nothing without the server's own sorted setup."""
    seen = {}
    client, server = parties()
    converse(client, server, lambda step, message: seen.setdefault(step, message))
    setup = ENGINE.unpack("setup", seen["setup"], len(SHOP))
    common = set(server._key.encrypt(COMMON))
    assert struct.unpack(">4I", seen["reveal"]) == tuple(i for i, point in enumerate(setup) if point in common)


def test_nothing_repeats_between_runs():
    """Fresh keys and a fresh order: two runs of the same parties share no point and no order."""
    ids = [b"%d" % number for number in range(40)]
    requests, orders = [], []
    for _ in range(2):
        client = Client(ids, ENGINE)
        requests.append(client.request(Server(ids, ENGINE).hello(client.hello())))
        orders.append(client._order)
    first, second = (set(ENGINE.unpack("request", request, 40)) for request in requests)
    assert not first & second
    assert len({tuple(order) for order in [*orders, range(40)]}) == 3


def test_only_what_is_revealed_reaches_the_server():
    """With more parties, the server learns the rows that all hold, not those that it shares with the client."""
    client, server = parties()
    matches = client.match(*server.respond(client.request(server.hello(client.hello()))))
    kept = [row for row in matches if BANK[row] != b"id-05"]
    server.accept(client.reveal(kept))
    rows = server.conclude(client.conclude(server.answer(client.prove())))
    assert [SHOP[row] for row in rows] == [b"id-01", b"id-07", b"id-09"]


def test_a_setup_prepared_while_waiting_is_the_one_sent(converse):
    """A server may work while the client does."""
    client, server = parties()
    server.prepare()
    prepared = server._setup
    seen = {}
    rows, _ = converse(client, server, lambda step, message: seen.setdefault(step, message))
    assert seen["setup"] == prepared and len(rows) == len(COMMON)
