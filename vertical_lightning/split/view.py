"""What an attack is given: all that one party saw, and what it is granted beside; the seam of the privacy lab."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from torch import Tensor, nn

from vertical_lightning.schema import Shape


@dataclass(frozen=True)
class Seen:
    """What crossed a party's boundary in one step of training.

    Attributes:
        rows: Row numbers of the batch `[batch]`, which name no entity.
        sent: By direction `sender->receiver`, the embeddings and gradients that went out, as their receiver reads them.
        received: By direction, what came in.
    """

    rows: Tensor
    sent: Mapping[str, Tensor]
    received: Mapping[str, Tensor]


@dataclass(frozen=True)
class Facts:
    """What everybody knows of a run.

    Attributes:
        members: All parties.
        label_holder: The one with the labels.
        outputs: How many numbers the head ends in.
        hops: The shape of a row of each embedding, by (sender, receiver).
        topology: Who runs what, in a line.
    """

    members: Sequence[str]
    label_holder: str
    outputs: int
    hops: Mapping[tuple[str, str], Shape]
    topology: str


@dataclass(frozen=True)
class Knowledge:
    """What an attacker is granted beside its view; nothing unless its yaml says so.

    Args:
        labels: Training rows whose labels it knows, drawn by `seed`; grading leaves them out.
        seed: Of the draw.

    Raises:
        ValueError: `labels` is negative.
    """

    labels: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what cannot be granted."""
        if self.labels < 0:
            raise ValueError(f"attack.knowledge.labels={self.labels} is not allowed: give how many labels are known, from 0.")


@dataclass(frozen=True)
class View:
    """All that one party has after a run. It holds no reference to anything of another party.

    Attributes:
        party: Whose view.
        rows: Row numbers of the training rows `[rows]`.
        features: The party's own block of these rows; None where it has none.
        stages: The party's own modules by name, copies as they ended.
        transcript: What crossed in the last epoch, step by step.
        facts: What everybody knows.
        labels: Row number → label, as far as the declared knowledge goes.
    """

    party: str
    rows: Tensor
    features: Tensor | None
    stages: Mapping[str, nn.Module]
    transcript: Sequence[Seen]
    facts: Facts
    labels: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Guess:
    """What an attack thinks of the labels.

    Attributes:
        rows: Row numbers `[rows]`; rows that are not named are not guessed.
        labels: Class numbers `[rows]`.
        scores: Where there are two classes, how much each row looks like the second one `[rows]`; None without an opinion.
    """

    rows: Tensor
    labels: Tensor
    scores: Tensor | None = None


@runtime_checkable
class Attack(Protocol):
    """A method that turns a view into a guess.

    Attributes:
        adversary: The party whose view it takes.
        knowledge: What it is granted.
    """

    adversary: str
    knowledge: Knowledge

    def guess(self, view: View) -> Guess:
        """Guess the labels of training rows."""
