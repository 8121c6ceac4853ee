"""Every message that was changed, or that a cheat made up, is refused with its own error, and the run ends there."""

import struct
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vertical_lightning.psi.channel import LocalChannel
from vertical_lightning.psi.client import Client
from vertical_lightning.psi.frames import Line
from vertical_lightning.psi.handshake import Hello
from vertical_lightning.psi.openmined import OpenMined
from vertical_lightning.psi.protocol_error import (
    ClosedError,
    HandshakeError,
    MessageError,
    NormalizerError,
    OrderError,
    PointError,
    PositionsError,
    ProofError,
    ProtocolError,
    RepeatedPointError,
    UnsortedSetupError,
)
from vertical_lightning.psi.server import Server
from vertical_lightning.psi.star import Star
from vertical_lightning.psi.transcript import STEPS

ENGINE = OpenMined()
BANK = [b"id-%02d" % number for number in (7, 3, 9, 1, 5, 8)]
SHOP = [b"id-%02d" % number for number in (9, 2, 7, 4, 1, 5, 6)]
OFF_CURVE = b"\x02" + (1).to_bytes(32, "big")  # x = 1 has no y on P-256


def parties():
    """Return the two ends of a new run."""
    return Client(BANK, ENGINE), Server(SHOP, ENGINE)


def matched():
    """Return two ends that have come to the closing proof."""
    client, server = parties()
    rows = client.match(*server.respond(client.request(server.hello(client.hello()))))
    server.accept(client.reveal(rows))
    return client, server


def replace(step, new):
    """Change one step's message by the function `new`."""
    return lambda at, message: new(message) if at == step else message


def points_of(kind, new):
    """Change the points of one message, leaving it well-formed."""
    count = {"request": len(BANK), "setup": len(SHOP), "response": len(BANK)}[kind]
    return replace(kind, lambda message: ENGINE.pack(kind, new(ENGINE.unpack(kind, message, count))))


@pytest.mark.parametrize("step", ["client hello", "server hello"])
@pytest.mark.parametrize(
    ("field", "error", "said"),
    [
        ({"normalizer": 2}, NormalizerError, "version 2 .* version 1"),
        ({"engine": "x25519"}, HandshakeError, "'x25519'.*'openmined-p256'"),
        ({"protocol": 9}, HandshakeError, "9"),
        ({"parties": 3}, HandshakeError, "number of parties is 3"),
        ({"purpose": "count"}, HandshakeError, "purpose is to 'count'"),
        ({"ids": 0}, HandshakeError, "no ids"),
        ({"ids": 10**9}, HandshakeError, "1,000,000,000 ids"),
    ],
)
def test_parties_that_run_something_else_are_told(converse, step, field, error, said):
    """Different rules must fail, not find an empty intersection."""
    hello = Hello(**{"engine": ENGINE.name, "ids": 6, "parties": 2, **field}).pack()
    with pytest.raises(error, match=said):
        converse(*parties(), replace(step, lambda _: hello))


REFUSALS = {
    "no hello": (replace("client hello", lambda _: b"GET / HTTP/1.1"), HandshakeError),
    "request cut": (replace("request", lambda message: message[:-1]), MessageError),
    "request short": (points_of("request", lambda points: points[1:]), MessageError),
    "request repeats": (points_of("request", lambda points: [points[1], *points[1:]]), RepeatedPointError),
    "request off curve": (points_of("request", lambda points: [OFF_CURVE, *points[1:]]), PointError),
    "setup cut": (replace("setup", lambda message: message[:-1]), MessageError),
    "setup long": (points_of("setup", lambda points: [*points, b"\3" + b"\xff" * 32]), MessageError),
    "setup unsorted": (points_of("setup", lambda points: points[::-1]), UnsortedSetupError),
    "setup repeats": (points_of("setup", lambda points: [points[0], *points[:-1]]), RepeatedPointError),
    "response short": (points_of("response", lambda points: points[1:]), MessageError),
    "response off curve": (points_of("response", lambda points: [*points[1:], OFF_CURVE]), PointError),
    "response repeats": (points_of("response", lambda points: points[:1] * len(points)), RepeatedPointError),
    "response reordered": (points_of("response", lambda points: [*points[1:], points[0]]), ProofError),
    "reveal empty": (replace("reveal", lambda _: b""), PositionsError),
    "reveal cut": (replace("reveal", lambda message: message[:-1]), PositionsError),
    "reveal descends": (replace("reveal", lambda _: struct.pack(">2I", 3, 1)), PositionsError),
    "reveal repeats": (replace("reveal", lambda _: struct.pack(">2I", 3, 3)), PositionsError),
    "reveal beyond": (replace("reveal", lambda _: struct.pack(">2I", 3, len(SHOP))), PositionsError),
    "reveal long": (replace("reveal", lambda _: struct.pack(">8I", *range(8))), PositionsError),
    "reveal fewer": (replace("reveal", lambda message: message[4:]), ProofError),
    "proof cut": (replace("proof", lambda message: message[:-1]), MessageError),
    "answer cut": (replace("answer", lambda message: message[:-1]), MessageError),
    "answer changed": (replace("answer", lambda message: message[:-1] + bytes([message[-1] ^ 1])), ProofError),
    "verdict changed": (replace("verdict", lambda message: message[::-1]), ProofError),
    "verdict cut": (replace("verdict", lambda message: message[:-1]), ProofError),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_changed_message_is_refused(converse, name):
    """Each kind of change has its own error, and no error shows an id."""
    change, error = REFUSALS[name]
    client, server = parties()
    with pytest.raises(error) as caught:
        converse(client, server, change)
    assert type(caught.value) is error
    assert "id-" not in str(caught.value)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(STEPS), st.floats(0, 1, exclude_max=True), st.integers(1, 255))
def test_no_changed_byte_of_any_message_survives(converse, step, where, flip):
    """The closing proof covers all messages: one changed byte anywhere ends the run."""

    def change(message):
        index = int(where * len(message))
        return message[:index] + bytes([message[index] ^ flip]) + message[index + 1 :]

    with pytest.raises(ProtocolError):
        converse(*parties(), replace(step, change))


def test_a_server_that_repeats_one_matching_answer_learns_nothing():
    """Were ids sent back, one matching answer, repeated, would make the client disclose every id."""
    client, server = parties()
    request = client.request(server.hello(client.hello()))
    setup, _ = server.respond(request)
    answers = [server._key.reencrypt([point])[0] for point in ENGINE.unpack("request", request, len(BANK))]
    matching = answers[client._order.index(0)]  # the best case for the cheat: id-07 does match
    with pytest.raises(RepeatedPointError):
        client.match(setup, ENGINE.pack("response", [matching] * len(BANK)))
    with pytest.raises(ValueError, match="0 rows were given"):
        client.reveal([])
    with pytest.raises(ValueError, match="returned by match"):
        client.reveal([0])


@pytest.mark.parametrize("step", ["server hello", "setup", "response", "answer", "request", "reveal", "proof", "verdict"])
def test_a_message_of_another_run_is_refused(converse, step):
    """A replay: the same parties, the same ids, fresh keys. No row of the old run is taken for one of the new."""
    # So many that the common rows do not come to stand at the same positions of the setup by chance.
    bank, shop = ([b"id-%03d" % number for number in rows] for rows in (range(60), range(30, 90)))

    def run(change):
        return converse(Client(bank, ENGINE), Server(shop, ENGINE), change)

    recorded = {}
    run(lambda at, message: recorded.setdefault(at, message))
    if step == "server hello":  # says nothing of the run: equal in both
        assert run(replace(step, lambda _: recorded[step])) == (list(range(30, 60)), list(range(30)))
        return
    # By its own error or by the proof; or nothing matches, and there is nothing to reveal.
    with pytest.raises(ValueError, match=r"\S") as caught:
        run(replace(step, lambda _: recorded[step]))
    assert isinstance(caught.value, ProtocolError) or "0 rows were given" in str(caught.value)


def test_a_run_that_counts_shows_the_number_and_no_row():
    """The client cannot tell which of its rows matched: the response comes back sorted."""
    client, server = Client(BANK, ENGINE, purpose="count"), Server(SHOP, ENGINE, purpose="count")
    setup, response = server.respond(client.request(server.hello(client.hello())))
    points = ENGINE.unpack("response", response, len(BANK))
    assert points == sorted(points)
    assert client.count(setup, response) == 4
    with pytest.raises(OrderError, match="only counts"):
        client.match(setup, response)


@pytest.mark.parametrize("kind", ["setup", "response"])
def test_another_key_matches_nothing(kind):
    """A setup and a response under different keys give no pair, never a wrong one."""
    client, server = parties()
    other = ENGINE.key()
    setup, response = server.respond(client.request(server.hello(client.hello())))
    if kind == "setup":
        setup = ENGINE.pack("setup", sorted(other.encrypt(SHOP)))
    else:
        response = ENGINE.pack("response", other.reencrypt(ENGINE.unpack("response", response, len(BANK))))
    assert client.match(setup, response) == []


def test_a_server_cannot_pass_the_proof_by_an_echo():
    """The tags name their speaker: sending the client's own words back proves nothing."""
    client, server = matched()
    proof = client.prove()
    with pytest.raises(ProofError):
        client.conclude(proof + server.answer(proof)[-32:])


def test_a_client_cannot_pass_the_proof_by_an_echo():
    """The same for the other side: the server's tag is no verdict."""
    client, server = matched()
    answer = server.answer(client.prove())
    with pytest.raises(ProofError):
        server.conclude(answer[-32:])


def test_parties_with_different_aligned_ids_fail_the_proof():
    """A server whose rows moved after the setup holds other ids at the same positions."""
    ids = list(SHOP)
    client, server = Client(BANK, ENGINE), Server(ids, ENGINE)
    rows = client.match(*server.respond(client.request(server.hello(client.hello()))))
    ids[ids.index(b"id-09")] = b"id-99"
    server.accept(client.reveal(rows))
    with pytest.raises(ProofError, match="does not hold the same aligned ids"):
        client.conclude(server.answer(client.prove()))


def test_steps_out_of_order_are_refused():
    """No step can be asked for before its turn or twice."""
    client, server = parties()
    with pytest.raises(OrderError, match="'request' came where 'client hello' was due"):
        server.respond(b"")
    hello = client.hello()
    with pytest.raises(OrderError):
        client.hello()
    server.hello(hello)
    with pytest.raises(OrderError):
        server.accept(b"")
    with pytest.raises(OrderError):
        server.conclude(b"")
    with pytest.raises(OrderError):
        client.conclude(b"")


@pytest.mark.parametrize("liar", ["shop", "bank"])
def test_nobody_keeps_room_for_ids_on_a_peers_word(liar):
    """Sixty million ids would be messages of 2.1 GB; a party says how many it would take, and whom it refuses."""
    victim, ids = {"shop": ("bank", BANK), "bank": ("shop", SHOP)}[liar]
    here, there = LocalChannel.pair()
    Line(there).send("client hello" if liar == "bank" else "server hello", Hello(ENGINE.name, 60_000_000, 2).pack())
    star = Star(ENGINE, max_ids=1000)
    with pytest.raises(
        HandshakeError, match=f"{liar}'s message is refused .* announces 60,000,000 ids; .* most 1,000"
    ) as error:
        star.align_here(victim, [one.decode() for one in ids], "bank", {liar: here}, 2)
    assert "psi.max_ids=60000000" in str(error.value)
    here.close()
    sent = []
    with suppress(ClosedError):
        while True:
            sent.append(len(there.receive()))
    assert sum(sent) < 100, "ids were sent before"


def test_a_party_that_cheats_in_the_alignment_is_named():
    here, there = LocalChannel.pair()
    Line(there).send("server hello", bytes(35))
    with pytest.raises(HandshakeError, match=r"shop's message is refused in the alignment\. The peer's first message"):
        Star(ENGINE).align_here("bank", [one.decode() for one in BANK], "bank", {"shop": here}, 2)
