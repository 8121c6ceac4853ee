"""One party's part in a run of several processes: links to the others, agreement on the settings, and a common end."""

from __future__ import annotations

import gc
import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, Self

import torch

from vertical_lightning.distributed.remote_transport import RemoteTransport
from vertical_lightning.distributed.transport.alignment_channel import AlignmentChannel
from vertical_lightning.distributed.transport.backend import Backend, Rendezvous
from vertical_lightning.distributed.transport.failure import RendezvousError, shown, told
from vertical_lightning.distributed.transport.form import Form
from vertical_lightning.distributed.transport.messages import FACTS, about, by_party
from vertical_lightning.distributed.transport.peer import Peer
from vertical_lightning.schema import Shape
from vertical_lightning.split.codec import Codec


class Session:
    """Brings the parties together; as a context it tells them when this party fails, or says goodbye.

    Everything that all must know goes through the label holder, who compares and passes on.

    Args:
        party: The party in this process.
        named: The parties that bring rows.
        owners: The owners of later stages.
        label_holder: The party that the others look for.
        address: Where it listens, `host:port`.
        backend: Connects this process with the others.

    Attributes:
        members: All parties, in one order everywhere.
        peers: The way to each that this party talks to.
        run: Names the run; the label holder draws it, checkpoints keep it.
    """

    def __init__(
        self,
        party: str,
        named: Sequence[str],
        owners: Sequence[str],
        label_holder: str,
        address: str,
        backend: Backend,
    ) -> None:
        self.party, self.label_holder, self.named = party, label_holder, list(named)
        self.members = list(dict.fromkeys([*named, *owners, label_holder]))
        self.run = secrets.token_hex(8)
        if party not in self.members:
            raise ValueError(f"name={party} is none of the parties of this run: {', '.join(self.members)}.")
        place = Rendezvous(party, self.members, label_holder, address, pairs(named, owners, label_holder), backend.patience)
        links = backend.connect(place)
        self.peers = {
            name: Peer(party, name, link, backend.timeout, backend.patience, self.members) for name, link in links.items()
        }
        for peer in self.peers.values():
            peer.others = [other for other in self.peers.values() if other is not peer]

    def __enter__(self) -> Self:
        gc.freeze()  # a full collection of all that was imported would hold up the signs of life, for seconds on busy cores
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        """Say goodbye to all, or tell them whose error ended the run."""
        for peer in self.peers.values():  # all are told before anybody is waited for
            if error is None:
                peer.say_goodbye()
            else:
                peer.abort(*told(error, self.party))
        for peer in self.peers.values():
            if error is None:
                peer.await_goodbye()
        for peer in self.peers.values():
            peer.close()
        gc.unfreeze()  # whoever looks for leaks at the end takes what is frozen for one

    @property
    def leads(self) -> bool:
        """Whether the label holder is here: its decisions are everybody's."""
        return self.party == self.label_holder

    def transport(
        self, hops: Mapping[tuple[str, str], Shape], rows: int, dtypes: Collection[torch.dtype], codec: Codec
    ) -> RemoteTransport:
        """Return what payloads cross by; arguments are those of `RemoteTransport`."""
        return RemoteTransport(self.party, self.peers, hops, rows, dtypes, codec)

    def channels(self, parties: Iterable[str]) -> Mapping[str, AlignmentChannel]:
        """Return this party's channels of the alignment: the label holder's to all, the others' to the label holder."""
        talks_to = parties if self.leads else [self.label_holder]
        return {party: AlignmentChannel(self.peers[party]) for party in talks_to if party != self.party}

    def gather(self, what: str, among: Sequence[str] | None = None, **facts: Any) -> dict[str, dict[str, Any]]:
        """Tell all others, or the given ones, these facts, and return every party's.

        Raises:
            ValueError: This party has facts that no other would take.
            RefusedError: Another party says something else than `messages.FACTS` allows.
        """
        members = self.members if among is None else list(dict.fromkeys([*among, self.label_holder]))
        own = speakable(what, facts)
        if not self.leads:
            self.peers[self.label_holder].tell(what=what, facts=own)
            return self._about(what, self.label_holder, by_party(members, FACTS[what])) | {self.party: own}
        known = {party: own if party == self.party else self._about(what, party, FACTS[what]) for party in members}
        for party in members:
            if party != self.party:
                self.peers[party].tell(what=what, facts=known)
        return known

    def tell(self, what: str, **facts: Any) -> None:
        """Tell all others."""
        for peer in self.peers.values():
            peer.tell(what=what, facts=speakable(what, facts))

    def hear(self, what: str) -> dict[str, Any]:
        """Wait for what the label holder tells."""
        return self._about(what, self.label_holder, FACTS[what])

    def agree(self, what: str, among: Sequence[str] | None = None, **facts: Any) -> dict[str, Any]:
        """Stop the run unless all, or the given parties, say the same, and return it; None accepts the others' value.

        Raises:
            RendezvousError: Says what differs, and who says what.
        """
        said = self.gather(what, among, **facts)
        names = dict.fromkeys(name for facts in said.values() for name in facts)
        answers = {name: {party: facts.get(name, "") for party, facts in said.items()} for name in names}
        answers = {
            name: {party: value for party, value in answer.items() if value is not None} for name, answer in answers.items()
        }
        differing = {name: answer for name, answer in answers.items() if len(set(answer.values())) > 1}
        if differing:
            answered = "; ".join(
                f"{name}: {' '.join(f'{party}={shown(value)}' for party, value in answer.items())}"
                for name, answer in differing.items()
            )
            raise RendezvousError(self.party, f"the parties disagree about {what}: {answered}. Start all with the same.")
        return {name: next(iter(answer.values()), None) for name, answer in answers.items()}

    def _about(self, what: str, party: str, form: Form) -> dict[str, Any]:
        facts: dict[str, Any] = self.peers[party].hear(f"what {party} says of {what}", about(what, form))["facts"]
        return facts


def speakable(what: str, facts: dict[str, Any]) -> dict[str, Any]:
    """Return facts in the form that other parties accept.

    Raises:
        ValueError: They would not.
    """
    try:
        FACTS[what](facts)
    except ValueError as error:
        raise ValueError(f"what this party is to say of {what} cannot be told to the others: {error}.") from error
    return facts


def pairs(named: Iterable[str], owners: Sequence[str], label_holder: str) -> frozenset[frozenset[str]]:
    """Return the pairs of parties that are linked: the label holder with everybody, and the ends of the topology's hops.

    >>> sorted(map(sorted, pairs(["alice", "carol"], ["server", "bob"], "bob")))
    [['alice', 'bob'], ['alice', 'server'], ['bob', 'carol'], ['bob', 'server'], ['carol', 'server']]
    """
    later = list(owners) or [label_holder]
    linked = [(member, label_holder) for member in [*named, *later]]
    linked += [(member, later[0]) for member in named]
    linked += list(pairwise(later))
    return frozenset(frozenset(pair) for pair in linked if pair[0] != pair[1])
