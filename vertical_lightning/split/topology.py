"""Who owns which stages, and the one forward loop: run, send, merge, run."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import cast

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn

from vertical_lightning.schema import Architecture, Shape, StageFactory
from vertical_lightning.split.cut import Cut, IllegalCutError
from vertical_lightning.split.equipment import CodecFactory, GuardFactory, equip, wired
from vertical_lightning.split.ownership import Ownership, divide
from vertical_lightning.split.per_party import check_parties, per_party
from vertical_lightning.split.seeding import seeded
from vertical_lightning.split.shape_inference import ShapeInference
from vertical_lightning.split.transport import Transport
from vertical_lightning.split.wire import Wire

MergeFactory = Callable[[Mapping[str, Shape]], nn.Module]


class Topology(nn.Module):
    """One network whose stages lie at several parties.

    Every feature party runs its own copy of the first stages (its *bottom*). The embeddings are merged at the first of
    `owners`, which runs the next stages, and so on; the last owner is the label holder. Without owners after the bottoms, the
    bottoms end in logits that are merged at the label holder, with nothing to train there.

    | topology | owners | cut |
    |---|---|---|
    | splitnn | label holder | one |
    | u_shaped | server, label holder | two |
    | relay | other parties, label holder | one for each |
    | aggregate | – | none |
    | centralized | –, and the label holder is the one feature party | none |

    A stage's weights are drawn from (its owner's seed, stage, branch), where branch counts the copies of a bottom and is 0
    behind the merge: the same seed gives the same function wherever the network is cut.

    A process may run some of the parties only. The stages of all others are then on the device `meta`, where shapes flow and
    nothing is computed or stored; they are no submodules, so no state dict holds them and no optimizer steps them.

    Args:
        architecture: The uncut network.
        shapes: Each feature party's input shape, without the batch.
        outputs: How many numbers the head ends in.
        label_holder: The party that receives the logits.
        owners: Who owns the stages after the bottoms, in order; ends with the label holder.
        cut: Where one owner's stages end, one for all or by party; see `split.cut` and `split.ownership`.
        merge: Builds the merge from the senders' embedding shapes.
        own: By feature party, an architecture of its own for its bottom.
        guards: By party and name, what builds its guards.
        codec: Builds how tensors are written on the wire; None: as they are.
        seed: Seed of the weights, of all parties or one a party.
        here: The parties that run in this process; None for all.

    Attributes:
        members: All parties: with features, with later stages, with labels.
        parties: The modules of each party that is here, by stage name; its guards and codecs are among them.
        bottoms: The names of each feature party's first stages.
        segments: The later owners, with the names of their stages.
        hops: The shape of a row of what crosses, by (sender, receiver).

    >>> from vertical_lightning.architectures.mlp import Mlp
    >>> from vertical_lightning.merges.concat import Concat
    >>> halves = {"alice": (392,), "carol": (392,)}
    >>> network = Topology(Mlp([64, 500]), halves, 10, "bob", owners=["bob"], cut="fc1", merge=Concat)
    >>> network.describe()
    'alice: fc1 | carol: fc1 → bob: merge fc2 head'
    >>> network({party: torch.zeros(5, *shape) for party, shape in halves.items()}).shape
    torch.Size([5, 10])
    """

    def __init__(
        self,
        architecture: Architecture,
        shapes: Mapping[str, Shape],
        outputs: int,
        label_holder: str,
        *,
        owners: Sequence[str],
        cut: Cut | Mapping[str, Cut],
        merge: MergeFactory,
        own: Mapping[str, Architecture] | None = None,
        guards: Mapping[str, Mapping[str, GuardFactory]] | None = None,
        codec: CodecFactory | None = None,
        seed: int | Mapping[str, int] = 0,
        here: Collection[str] | None = None,
    ) -> None:
        super().__init__()
        if owners and owners[-1] != label_holder:
            raise ValueError(f"topology.owners={list(owners)} must end with the label holder, {label_holder}.")
        stages = divide(architecture, list(shapes), outputs, owners=owners, cut=cut, own=own)
        self.bottoms = {party: list(row) for party, row in stages.bottoms.items()}
        self.segments = [(owner, list(row)) for owner, row in stages.later] or [(label_holder, [])]
        self.shapes, self.feature_parties = dict(shapes), list(shapes)
        self.label_holder = label_holder
        self.outputs = outputs
        self.merger = self.segments[0][0]
        self.members = list(dict.fromkeys([*shapes, *owners, label_holder]))
        self.seeds = per_party("party_seed", seed, self.members)
        modules = {party: nn.ModuleDict() for party in self.members}
        self.parties = nn.ModuleDict({party: own for party, own in modules.items() if here is None or party in here})
        self.elsewhere = {party: own for party, own in modules.items() if party not in self.parties}
        self.hops: dict[tuple[str, str], Shape] = {}
        self.shapes_elsewhere = ShapeInference()
        self.build(stages, merge)
        check_parties("a defense", guards or {}, self.members)
        equip(self.here, self.hops, self.seeds, guards or {}, codec)

    def build(self, stages: Ownership, merge: MergeFactory) -> None:
        """Build every stage for the shape that reaches it, and the merge between them."""
        embeddings = {}
        for branch, (party, row) in enumerate(stages.bottoms.items()):
            shape = self.shapes[party]
            for name, factory in row.items():
                shape = self.add(party, name, factory, shape, branch)
            embeddings[party] = shape
            self.note_hop(party, self.merger, shape)
        with torch.device("meta"):
            merged = merge(embeddings)([torch.empty(2, *shape) for shape in embeddings.values()])
        self.place(self.merger, "merge", lambda: merge(embeddings), branch=0)
        shape, holder = tuple(merged.shape[1:]), self.merger
        for owner, row in stages.later:
            self.note_hop(holder, owner, shape)
            holder = owner
            for name, factory in row.items():
                shape = self.add(owner, name, factory, shape, branch=0)
        if shape != (self.outputs,):
            raise IllegalCutError(
                f"the network ends in rows of shape {shape}, but the labels need {(self.outputs,)}: without a stage after the "
                "merge, bottoms end in logits. Choose merge=sum or mean (topology=aggregate), or one party (centralized)."
            )

    def wire(self, transport: Transport | None = None) -> Wire:
        """Return a wire with the guards and codecs of the parties that are here."""
        return wired(self.here, self.hops, transport)

    @property
    def here(self) -> dict[str, nn.ModuleDict]:
        """The parties that are here, with their modules."""
        return {party: self.own(party) for party in self.parties}

    def own(self, party: str) -> nn.ModuleDict:
        """Return one party's modules; on `meta` if it is elsewhere."""
        return self.elsewhere[party] if party in self.elsewhere else cast(nn.ModuleDict, self.parties[party])

    def place(self, party: str, name: str, build: Callable[[], nn.Module], branch: int) -> None:
        """Build a stage where its party is; elsewhere it is never in train mode, where batches of one row may be refused."""
        if party in self.parties:
            self.own(party)[name] = seeded(build, self.seeds[party], name, branch)
        else:
            with torch.device("meta"):
                self.own(party)[name] = seeded(build).eval()

    def note_hop(self, sender: str, receiver: str, shape: Shape) -> None:
        """Take note of what will cross."""
        if sender != receiver:
            self.hops[sender, receiver] = shape

    def add(self, party: str, name: str, factory: StageFactory, shape: Shape, branch: int) -> Shape:
        """Build one stage at one party and return the shape that it sends on."""
        try:
            with torch.device("meta"):
                output = seeded(lambda: factory(shape)).eval()(torch.empty(2, *shape))
        except (RuntimeError, ValueError) as error:
            raise ValueError(f"stage {name} at {party} cannot take rows of shape {tuple(shape)}: {error}") from error
        self.place(party, name, lambda: factory(shape), branch)
        return tuple(output.shape[1:])

    def forward(
        self, features: Mapping[str, Shaped[Tensor, "batch *_"]], wire: Wire | None = None
    ) -> Float[Tensor, "batch outputs"]:
        """Return the logits, held by the label holder, from each feature party's block."""
        wire = wire or self.wire()
        embeddings = {party: self.run(party, self.bottoms[party], features[party]) for party in self.feature_parties}
        arrived = [wire.send(sent, sender=party, receiver=self.merger) for party, sent in embeddings.items()]
        holder, tensor = self.merger, self.merge(arrived)
        for owner, names in self.segments:
            tensor = self.run(owner, names, wire.send(tensor, sender=holder, receiver=owner))
            holder = owner
        return tensor

    def run(self, party: str, names: Sequence[str], tensor: Tensor) -> Tensor:
        """Run some of one party's own stages."""
        if party in self.elsewhere and names:
            stages = [self.own(party)[name] for name in names]
            return self.shapes_elsewhere.infer(
                (party, *names), stages, [tensor], lambda inputs: self.compute(party, names, *inputs)
            )
        return self.compute(party, names, tensor)

    def compute(self, party: str, names: Sequence[str], tensor: Tensor) -> Tensor:
        """Run stages, one after another."""
        own = self.own(party)
        for name in names:
            tensor = own[name](tensor)
        return tensor

    def merge(self, embeddings: Sequence[Tensor]) -> Tensor:
        """Merge what has arrived."""
        merge = self.own(self.merger)["merge"]
        if self.merger in self.elsewhere:
            return self.shapes_elsewhere.infer("merge", [merge], embeddings, merge)
        return cast(Tensor, merge(embeddings))

    def describe(self) -> str:
        """Draw who runs what on one line."""
        bottoms = [f"{party}: {' '.join(self.bottoms[party])}" for party in self.feature_parties]
        later = [[f"{owner}:", *names] for owner, names in self.segments]
        later[0].insert(1, "merge")
        return " → ".join([" | ".join(bottoms), *(" ".join(words) for words in later)])
