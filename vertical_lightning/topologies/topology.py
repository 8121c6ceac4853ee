"""Who owns which stages, and the one forward loop: run, send, merge, run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from vertical_lightning.schema import Architecture, Shape, StageFactory, check_party_name
from vertical_lightning.seeds import derive
from vertical_lightning.topologies.cut import Cut, IllegalCutError, resolve
from vertical_lightning.wire import Wire

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

    A stage's weights are drawn from (seed, stage, branch), where branch counts the copies of a bottom and is 0 behind the
    merge: the same seed gives the same function wherever the network is cut.

    Args:
        architecture: The uncut network.
        shapes: Each feature party's input shape, without the batch.
        outputs: How many numbers the head ends in.
        label_holder: The party that receives the logits.
        owners: Who owns the stages after the bottoms, in order; ends with the label holder.
        cut: Where one owner's stages end; see `topologies.cut`.
        merge: Builds the merge from the senders' embedding shapes.
        seed: Seed of the weights.

    Attributes:
        parties: Each party's own modules, by stage name.

    >>> from vertical_lightning.architectures.mlp import Mlp
    >>> from vertical_lightning.merges.concat import Concat
    >>> halves = {"alice": (392,), "carol": (392,)}
    >>> network = Topology(Mlp([64, 500]), halves, 10, "bob", owners=["bob"], cut="fc1", merge=Concat)
    >>> network.flow()
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
        cut: Cut,
        merge: MergeFactory,
        seed: int = 0,
    ) -> None:
        super().__init__()
        if owners and owners[-1] != label_holder:
            raise ValueError(f"topology.owners={list(owners)} must end with the label holder, {label_holder}.")
        for owner in owners:
            check_party_name(owner)
        row = architecture.stages(outputs)
        names = list(row)
        if "merge" in names:
            raise ValueError("an architecture's stage is named merge, as the merge itself is; give it another name.")
        cuts = [0, *resolve(cut, names, len(owners)), len(names)]
        ranges = [names[start:end] for start, end in pairwise(cuts)]
        self.bottom = ranges[0]
        self.segments = list(zip(owners, ranges[1:], strict=True)) or [(label_holder, [])]
        self.feature_parties = list(shapes)
        self.label_holder = label_holder
        self.outputs = outputs
        self.merger = self.segments[0][0]
        self.seed = seed
        self.parties = nn.ModuleDict({party: nn.ModuleDict() for party in [*shapes, *owners, label_holder]})
        self.build(row, shapes, merge, outputs)

    def build(self, row: Mapping[str, StageFactory], shapes: Mapping[str, Shape], merge: MergeFactory, outputs: int) -> None:
        """Build every stage for the shape that reaches it, and the merge between them."""
        embeddings = {}
        for branch, (party, shape) in enumerate(shapes.items()):
            for name in self.bottom:
                shape = self.add(party, name, row[name], shape, branch)
            embeddings[party] = shape
        with torch.device("meta"):
            merged = merge(embeddings)([torch.empty(2, *shape) for shape in embeddings.values()])
        self.own(self.merger)["merge"] = seeded(lambda: merge(embeddings), self.seed, "merge", 0)
        shape = tuple(merged.shape[1:])
        for owner, names in self.segments:
            for name in names:
                shape = self.add(owner, name, row[name], shape, branch=0)
        if shape != (outputs,):
            raise IllegalCutError(
                f"the network ends in rows of shape {shape}, but the labels need {(outputs,)}: without a stage after the "
                "merge, bottoms end in logits. Choose merge=sum or mean (topology=aggregate), or one party (centralized)."
            )

    def own(self, party: str) -> nn.ModuleDict:
        """Return one party's modules."""
        return cast(nn.ModuleDict, self.parties[party])

    def add(self, party: str, name: str, factory: StageFactory, shape: Shape, branch: int) -> Shape:
        """Build one stage at one party and return the shape that it sends on."""
        try:
            with torch.device("meta"):
                output = seeded(lambda: factory(shape)).eval()(torch.empty(2, *shape))
        except (RuntimeError, ValueError) as error:
            raise ValueError(f"stage {name} at {party} cannot take rows of shape {tuple(shape)}: {error}") from error
        self.own(party)[name] = seeded(lambda: factory(shape), self.seed, name, branch)
        return tuple(output.shape[1:])

    def forward(
        self, features: Mapping[str, Float[Tensor, "batch *_"]], wire: Wire | None = None
    ) -> Float[Tensor, "batch outputs"]:
        """Return the logits, held by the label holder, from each feature party's block."""
        wire = wire or Wire()
        embeddings = {party: self.run(party, self.bottom, features[party]) for party in self.feature_parties}
        arrived = [wire.send(one, sender=party, receiver=self.merger) for party, one in embeddings.items()]
        holder, tensor = self.merger, cast(Tensor, self.own(self.merger)["merge"](arrived))
        for owner, names in self.segments:
            tensor = self.run(owner, names, wire.send(tensor, sender=holder, receiver=owner))
            holder = owner
        return tensor

    def run(self, party: str, names: Sequence[str], tensor: Tensor) -> Tensor:
        """Run some of one party's own stages."""
        own = self.own(party)
        for name in names:
            tensor = own[name](tensor)
        return tensor

    def flow(self) -> str:
        """Draw who runs what on one line."""
        bottoms = [f"{party}: {' '.join(self.bottom)}" for party in self.feature_parties]
        later = [[f"{owner}:", *names] for owner, names in self.segments]
        later[0].insert(1, "merge")
        return " → ".join([" | ".join(bottoms), *(" ".join(words) for words in later)])


def seeded(build: Callable[[], nn.Module], *key: object) -> nn.Module:
    """Build a module whose weights are a function of `key` alone, and leave the global generator as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(derive("weights", *key))
        return build()
