"""Frames over gRPC: they arrive; who does not belong is refused, each with a sentence of its own."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent import futures

import grpc
import pytest
import torch
from certificates import certificates

from vertical_lightning.distributed.transport import deadline
from vertical_lightning.distributed.transport.backend import Rendezvous
from vertical_lightning.distributed.transport.failure import PeerLostError, RendezvousError
from vertical_lightning.distributed.transport.frame import HEADER, PAYLOAD
from vertical_lightning.distributed.transport.grpc.backend import Grpc
from vertical_lightning.distributed.transport.grpc.credentials import Credentials
from vertical_lightning.distributed.transport.grpc.probe import probe
from vertical_lightning.distributed.transport.grpc.server import Server

LONG = 30.0
STAR = [("alice", "bob"), ("carol", "bob")]
U_SHAPE = [("alice", "server"), ("bob", "server")]  # the host, bob, does not talk to alice


@pytest.fixture(name="address")
def address_fixture():
    """Find a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


@pytest.fixture(name="secured")
def secured_fixture(tmp_path):
    """Make a party's engine, with certificates."""
    return lambda name, **kinds: Grpc(**certificates(tmp_path, name, **kinds))


@pytest.fixture(name="unchecked")
def unchecked_fixture(monkeypatch):
    """Let bad certificates leave the house."""
    monkeypatch.setattr(Credentials, "check", lambda self, party: None)


def meeting(party, address, members=("alice", "bob"), pairs=STAR, seconds=LONG):
    return Rendezvous(party, list(members), "bob", address, frozenset(map(frozenset, pairs)), seconds)


def start(engine, *args, **kwargs):
    """Let a party connect in a thread of its own."""
    future = futures.Future()

    def work():
        try:
            future.set_result(engine.connect(meeting(*args, **kwargs)))
        except Exception as error:
            future.set_exception(error)

    threading.Thread(target=work, daemon=True).start()
    return future


def meet(engines, address, **kwargs):
    """Bring everybody together; return each party's links."""
    waiting = [start(engine, name, address, members=list(engines), **kwargs) for name, engine in engines.items()]
    return dict(zip(engines, [one.result(LONG) for one in waiting], strict=True))


def close(*parties):
    """Close all links at once, as parties do."""
    threads = [threading.Thread(target=link.close) for links in parties for link in links.values()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONG)
        assert not thread.is_alive()


def frame(size, number=0):
    return torch.arange(number, number + size, dtype=torch.int64).to(torch.uint8)


@pytest.fixture(name="pair")
def pair_fixture(address, secured):
    """Bring alice and bob together."""
    links = meet({"alice": secured("alice"), "bob": secured("bob")}, address)
    yield links["alice"]["bob"], links["bob"]["alice"]
    close(*links.values())


# --- frames


@pytest.mark.parametrize("secure", [True, False])
@pytest.mark.parametrize(
    ("members", "pairs"),
    [
        (["alice", "bob"], STAR[:1]),
        (["alice", "bob", "carol"], STAR),
        (["alice", "bob", "server"], U_SHAPE),
        (["server", "bob", "alice"], U_SHAPE),
    ],
)
def test_frames_go_both_ways_in_order(members, pairs, secure, address, secured):
    links = meet({name: secured(name) if secure else Grpc() for name in members}, address, pairs=pairs)
    ways = [way for pair in pairs for way in (pair, pair[::-1])]
    for name in members:
        assert set(links[name]) == {other for one, other in ways if one == name}
    for number in range(3):
        for one, other in ways:
            links[one][other].send(frame(100, number + len(one)))
    for number in range(3):
        for one, other in ways:
            assert torch.equal(links[other][one].receive(), frame(100, number + len(one)))
    close(*links.values())


def test_frames_of_every_size_are_aligned(pair):
    alice, bob = pair
    sizes = [HEADER, HEADER + 1, 1000, 65_535, 65_536, HEADER + 327_680, HEADER + PAYLOAD]
    for size in sizes:
        sent = frame(size)
        alice.send(sent)
        sent.zero_()  # may be changed afterwards
        bob.send(frame(size, 1))
        for got, start_value in ((bob.receive(), 0), (alice.receive(), 1)):
            assert got.dtype == torch.uint8 and got.data_ptr() % 64 == 0
            assert torch.equal(got, frame(size, start_value))


@pytest.mark.parametrize("end", ["dialer", "listener"])
@pytest.mark.parametrize("busy", [False, True])
def test_close_lets_the_last_frame_arrive(end, busy, pair):
    ours, theirs = pair if end == "dialer" else pair[::-1]
    if busy:  # frames that nobody reads do not hold it up
        for number in range(20):
            theirs.send(frame(100_000, number))
    for number in range(50):
        ours.send(frame(100_000, number))
    closing = threading.Thread(target=ours.close)
    closing.start()
    for number in range(50):
        assert torch.equal(theirs.receive(), frame(100_000, number))
    with pytest.raises(ConnectionError, match="has ended the connection"):
        theirs.receive()
    closing.join(LONG)
    assert not closing.is_alive()
    ours.close()  # twice is fine
    for send in (ours.send, theirs.send):
        with pytest.raises(ConnectionError):
            send(frame(64))


def test_both_ends_close_at_once_while_both_read(pair):
    def read(link):
        with pytest.raises(ConnectionError):
            receive_forever(link)

    for link in pair:
        link.send(frame(64))
    threads = [threading.Thread(target=work) for link in pair for work in (lambda link=link: read(link), link.close)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONG)
        assert not thread.is_alive()


def receive_forever(link):
    while True:
        link.receive()


def send_forever(link):
    while True:
        link.send(frame(HEADER + PAYLOAD))


def test_a_peer_that_takes_nothing(address):
    links = meet({"alice": Grpc(timeout=0.3), "bob": Grpc(timeout=0.3)}, address)
    for one, other in (("alice", "bob"), ("bob", "alice")):
        with pytest.raises(ConnectionError, match="taken nothing for 0 s"):
            send_forever(links[one][other])
    close(*links.values())


# --- other processes

CHILD = """
import sys, torch
from vertical_lightning.distributed.transport.grpc.backend import Grpc
from vertical_lightning.distributed.transport.backend import Rendezvous
party, certificate, key, authority, *addresses = sys.argv[1:]
peer = {"alice": "bob", "bob": "alice"}[party]
kept = []
for address in addresses:
    meeting = Rendezvous(party, ["alice", "bob"], "bob", address, frozenset({frozenset({"alice", "bob"})}), 30.0)
    link = Grpc(certificate=certificate, key=key, authority=authority).connect(meeting)[peer]
    link.send(torch.full((64,), 7, dtype=torch.uint8))
    kept.append(link)
if len(kept) == 1:
    link.receive()
kept[0].close()
"""


def child(party, tmp_path, *addresses):
    arguments = [sys.executable, "-c", CHILD, party, *certificates(tmp_path, party).values(), *addresses]
    return subprocess.Popen(arguments, env={**os.environ, "OMP_NUM_THREADS": "1"})


@pytest.mark.parametrize(("one", "other"), [("alice", "bob"), ("bob", "alice")])
def test_a_process_that_is_killed(one, other, address, secured, tmp_path):
    process = child(one, tmp_path, address)
    try:
        link = start(secured(other), other, address).result(LONG)[one]
        assert link.receive().tolist() == [7] * 64
        process.send_signal(signal.SIGKILL)
        with pytest.raises(ConnectionError, match=f"{one} (broke|has ended)"):
            link.receive()
        link.close()
    finally:
        process.kill()
        process.wait(LONG)


def test_a_process_that_ends_with_one_link_closed_and_one_left_open(address, secured, tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        second = f"127.0.0.1:{probe.getsockname()[1]}"
    process = child("bob", tmp_path, address, second)
    try:
        closed, left_open = (start(secured("alice"), "alice", where).result(LONG)["bob"] for where in (address, second))
        assert process.wait(LONG) == 0
        assert closed.receive().tolist() == [7] * 64
        for link in (closed, left_open):
            with pytest.raises(ConnectionError, match=r"bob (broke|has ended)"):
                receive_forever(link)
            link.close()
    finally:
        process.kill()


# --- who does not come


def test_nobody_at_the_address(address, secured):
    said = rf"bob does not answer at {address} \(refused, 0 s\)\. Is rendezvous its address and port, and has it been started\?"
    with pytest.raises(RendezvousError, match=said) as raised:
        secured("alice").connect(meeting("alice", address, seconds=0.3))
    assert raised.value.party == "bob"


def test_a_silent_program_at_the_address(address, monkeypatch):
    monkeypatch.setattr("vertical_lightning.distributed.transport.grpc.probe._SECONDS", 0.2)
    host, port = address.split(":")
    with socket.create_server((host, int(port))), pytest.raises(RendezvousError, match=r"does not answer .*\(timeout, 0 s\)"):
        Grpc().connect(meeting("alice", address, seconds=0.3))


def test_somebody_does_not_come(address, capsys, monkeypatch):
    monkeypatch.setattr(deadline, "SILENT", 0.2)
    members, pairs = ["alice", "bob", "server"], U_SHAPE
    alice = start(Grpc(), "alice", address, members=members, pairs=pairs)
    bob = start(Grpc(), "bob", address, members=members, pairs=pairs, seconds=1.5)
    for waiting in (alice, bob):
        with pytest.raises(RendezvousError, match=f"server did not come to {address} within 2 s") as raised:
            waiting.result(LONG)
        assert raised.value.party == "server"
    assert f"alice waits at {address} for server\n" in capsys.readouterr().out


def test_the_host_leaves_before_all_have_come(address):
    members = ["alice", "bob", "carol"]
    door = Server(meeting("bob", address, members), ["alice", "carol"], address, None)
    alice = start(Grpc(), "alice", address, members)
    while "alice" in door._missing():
        time.sleep(0.01)
    time.sleep(0.1)
    door.close()
    with pytest.raises(PeerLostError, match="bob has left before everybody had come"):
        alice.result(LONG)


def test_the_port_is_taken(address, secured):
    host, port = address.split(":")
    with (
        socket.create_server((host, int(port))),
        pytest.raises(RendezvousError, match=f"bob cannot listen at {address}; .*rend"),
    ):
        secured("bob").connect(meeting("bob", address))


# --- who is refused


def refused(bad, said, good, bob, address, **kwargs):
    """See alice refused, and the host undisturbed: it goes on with the right alice."""
    host = start(bob, "bob", address)
    with pytest.raises(RendezvousError, match=said):
        bad.connect(meeting(kwargs.pop("party", "alice"), address, **kwargs))
    assert not host.done()
    links = start(good, "alice", address).result(LONG)
    close(links, host.result(LONG))


def test_a_party_started_twice(address, secured):
    members = ["alice", "bob", "carol"]
    waiting = {name: start(secured(name), name, address, members) for name in ("alice", "bob")}
    time.sleep(0.5)
    said = f"a alice takes part at {address} already. Each party is started once"
    with pytest.raises(RendezvousError, match=said):
        secured("alice").connect(meeting("alice", address, members))
    waiting["carol"] = start(secured("carol"), "carol", address, members)
    links = {name: one.result(LONG) for name, one in waiting.items()}
    with pytest.raises(RendezvousError, match=r"bob does not answer at .* \(refused"):  # while it runs nobody comes in
        secured("alice").connect(meeting("alice", address, members, seconds=0.3))
    links["bob"]["alice"].send(frame(64))
    assert torch.equal(links["alice"]["bob"].receive(), frame(64))
    close(*links.values())


def test_an_unknown_party(address, secured):
    said = f"mallory does not take part at {address}; parties: alice, bob"
    strangers = {"party": "mallory", "members": ["mallory", "bob"]}
    refused(secured("mallory"), said, secured("alice"), secured("bob"), address, **strangers)


def test_members_differ(address, secured):
    said = "the parties disagree who takes part: alice, bob at bob, alice, bob, carol at alice"
    alice = secured("alice")
    refused(alice, said, alice, secured("bob"), address, members=["alice", "bob", "carol"])


def test_another_party_is_at_the_address(address):
    engine = Grpc()
    door = Server(meeting("carol", address), ["alice"], address, None)
    with pytest.raises(RendezvousError, match=r"alice looks for bob, and carol is here. Is the port right"):
        engine.connect(meeting("alice", address))
    door.close()


def test_a_certificate_of_another_name_at_home(address, secured, tmp_path):
    with pytest.raises(RendezvousError, match=r"alice's own certificate .* has another name than alice"):
        Grpc(**certificates(tmp_path, "carol")).connect(meeting("alice", address))


def test_an_expired_certificate_at_home(address, secured):
    with pytest.raises(RendezvousError, match=r"alice's own certificate .* has expired"):
        secured("alice", expired=True).connect(meeting("alice", address))


def test_a_certificate_that_is_not_valid_yet_at_home(address, secured):
    with pytest.raises(RendezvousError, match=r"alice's own certificate .* is not valid yet"):
        secured("alice", early=True).connect(meeting("alice", address))


def test_a_certificate_of_another_authority_at_home(address, secured):
    with pytest.raises(RendezvousError, match=r"alice's own certificate .* was not issued by the authority in .*authority.pem"):
        secured("alice", of="theirs").connect(meeting("alice", address))


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("certificate", "nowhere.pem is no file that alice can read"),
        ("key", "nowhere.pem is no file that alice can read"),
        ("authority", "nowhere.pem is no file that alice can read"),
    ],
)
def test_a_missing_file(what, said, address, tmp_path):
    paths = certificates(tmp_path, "alice") | {what: str(tmp_path / "nowhere.pem")}
    with pytest.raises(RendezvousError, match=said):
        Grpc(**paths).connect(meeting("alice", address))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"key": "authority"}, r"authority.pem is not the key of .*certificate.pem"),
        ({"authority": "key"}, r"key.pem holds no certificate of an authority"),
    ],
)
def test_a_file_that_holds_something_else(changes, said, address, tmp_path):
    paths = certificates(tmp_path, "alice")
    with pytest.raises(RendezvousError, match=said):
        Grpc(**paths | {what: paths[other] for what, other in changes.items()}).connect(meeting("alice", address))


def test_not_all_three_paths():
    with pytest.raises(ValueError, match=r"certificate, key is given and authority not; give all three of execution"):
        Grpc(certificate="alice.pem", key="alice.key")


@pytest.mark.parametrize(
    ("kinds", "said"),
    [
        ({"expired": True}, "bob at .* does not accept alice's certificate"),
        ({"of": "theirs"}, "bob at .* does not accept alice's certificate"),
        ({"of": "theirs", "trusts": "theirs"}, "shown at .* for bob was not issued by the authority in .*authority.pem"),
    ],
)
def test_the_host_refuses_a_certificate(kinds, said, address, secured, unchecked):
    refused(secured("alice", **kinds), said, secured("alice"), secured("bob"), address)


def test_the_host_refuses_a_certificate_of_another_name(address, secured, unchecked):
    said = "alice shows a certificate of carol; bob wants one of alice's"
    refused(secured("carol"), said, secured("alice"), secured("bob"), address)


@pytest.mark.parametrize(
    ("name", "kinds", "said"),
    [
        ("bob", {"expired": True}, "shown at .* for bob has expired"),
        ("bob", {"of": "theirs"}, "shown at .* for bob was not issued by the authority"),
        ("carol", {}, "shown at .* for bob has another name than bob"),
    ],
)
def test_the_host_has_a_bad_certificate(name, kinds, said, address, secured, tmp_path):
    door = Server(meeting("bob", address), ["alice"], address, Credentials(**certificates(tmp_path, name, **kinds)))
    with pytest.raises(RendezvousError, match=said) as raised:
        secured("alice").connect(meeting("alice", address))
    assert raised.value.party == "bob"
    door.close()


def test_grpc_itself_refuses_a_host_of_another_name(address, secured, tmp_path, monkeypatch):
    monkeypatch.setattr("vertical_lightning.distributed.transport.grpc.client.probe", lambda *_: None)
    door = Server(meeting("bob", address), ["alice"], address, Credentials(**certificates(tmp_path, "carol")))
    with pytest.raises(RendezvousError, match=r"bob does not answer at .*Hostname Verification Check failed"):
        secured("alice").connect(meeting("alice", address, seconds=0.5))
    door.close()


# --- who speaks something else


def test_the_host_speaks_in_the_clear(address, secured):
    refused(secured("alice"), "bob at .* speaks in the clear, and certificates are set here", Grpc(), Grpc(), address)


def test_the_host_wants_tls(address, secured):
    refused(Grpc(), "bob at .* wants TLS, and no certificate is set here", secured("alice"), secured("bob"), address)


def test_another_program_at_the_address(address):
    def answer(listener):
        line, _ = listener.accept()
        line.recv(100)
        line.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        line.close()

    host, port = address.split(":")
    with socket.create_server((host, int(port))) as listener:
        threading.Thread(target=answer, args=(listener,), daemon=True).start()
        with pytest.raises(RendezvousError, match=f"what answers at {address} is not bob: it does not speak gRPC"):
            Grpc().connect(meeting("alice", address))


def test_another_grpc_program_at_the_address(address):
    server = grpc.server(futures.ThreadPoolExecutor(1))
    server.add_insecure_port(address)
    server.start()
    with pytest.raises(RendezvousError, match=f"what answers at {address} is another gRPC program"):
        Grpc().connect(meeting("alice", address))
    server.stop(0).wait()


@pytest.mark.parametrize("kinds", [{}, {"address": "127.0.0.1:29500", "listen": "0.0.0.0"}])
def test_plaintext_stays_on_this_machine(kinds):
    engine = Grpc(listen=kinds.get("listen"))
    with pytest.raises(ValueError, match=r"execution=grpc without certificates would send to .* without encryption"):
        engine.connect(meeting("alice", kinds.get("address", "192.0.2.1:29500")))


@pytest.mark.parametrize("last", [b"", b"\x15\x03\x03\x00\x02\x01\x00"], ids=["without a word", "with TLS's goodbye"])
def test_a_server_that_hangs_up_in_the_handshake_is_waited_for(last, tmp_path):
    """A server that is full closes so; whoever asks goes on asking."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer():
            line, _ = server.accept()
            with line:
                line.recv(4096)
                line.sendall(last)

        threading.Thread(target=answer, daemon=True).start()
        address = f"127.0.0.1:{server.getsockname()[1]}"
        assert probe(address, "bob", Credentials(**certificates(tmp_path, "alice")), "alice") == "hangs up"
