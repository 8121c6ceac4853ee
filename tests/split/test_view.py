"""A view holds one party's own and nothing else; a guess is graded beside what no view is worth."""

from __future__ import annotations

import gc
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import torch
from job import SMALL, configuration, run
from torch import Tensor, nn

from vertical_lightning.run.attack import granted
from vertical_lightning.run.execution import execute
from vertical_lightning.split.grade import grade
from vertical_lightning.split.view import Guess, Knowledge, View

VIEWS: dict[str, View] = {}
QUICK = [*SMALL, "partition=halves", "trainer.max_epochs=2", "threads=1"]


@dataclass
class Keeping:
    """Keeps its view, and guesses class 0."""

    adversary: str = "alice"
    knowledge: Knowledge = field(default_factory=Knowledge)

    def guess(self, view: View) -> Guess:
        VIEWS[self.adversary] = view
        return Guess(view.rows, torch.zeros(len(view.rows), dtype=torch.int64))


def words(adversary: str) -> list[str]:
    return [*QUICK, "+attack.keeping._target_=test_view.Keeping", f"+attack.keeping.adversary={adversary}"]


@pytest.fixture
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parent))


def reachable(thing: object) -> list[object]:
    """All that can be reached from an object without leaving this package's and torch's plain data."""
    found, waiting = [], [thing]
    met: set[int] = set()
    while waiting:
        one = waiting.pop()
        if id(one) in met or isinstance(one, type) or (callable(one) and not isinstance(one, nn.Module)):
            continue
        met.add(id(one))
        found.append(one)
        if not isinstance(one, Tensor | str | int | float | bytes):
            waiting += [other for other in gc.get_referents(one) if type(other).__module__ not in ("builtins_module",)]
    return found


@pytest.mark.parametrize("adversary", ["alice", "carol", "bob"])
def test_a_view_has_the_partys_own_and_nothing_of_others(adversary: str, importable: None, tmp_path: Path) -> None:
    metrics = run(tmp_path, *words(adversary))
    from test_view import VIEWS as KEPT  # the copy that the run has imported

    view = KEPT[adversary]
    assert metrics["attack/keeping/accuracy"] <= metrics["attack/keeping/baseline"] < 0.2
    assert set(view.stages) == ({"fc1", "fc2"} if adversary != "bob" else {"merge", "head"})
    assert (view.features is None) == (adversary == "bob")
    assert len(torch.cat([seen.rows for seen in view.transcript])) == len(view.rows) == metrics["attack/keeping/rows"]
    for seen in view.transcript:
        assert all(link.startswith(f"{adversary}->") for link in seen.sent)
        assert all(link.endswith(f"->{adversary}") for link in seen.received)
        assert all(len(tensor) == len(seen.rows) for tensor in (*seen.sent.values(), *seen.received.values()))
    assert not view.labels
    held = reachable(view)
    assert not [one for one in held if type(one).__module__.startswith("vertical_lightning.data")]
    assert not [one for one in held if type(one).__name__ in ("SplitModule", "Topology", "Wire", "Hop")]
    assert all(tensor.grad_fn is None for tensor in held if isinstance(tensor, Tensor))


def test_the_same_weights_with_an_attack_and_without(importable: None, tmp_path: Path) -> None:
    """Law 6: looking changes nothing."""
    plain, attacked = run(tmp_path / "plain", *QUICK), run(tmp_path / "attacked", *words("alice"))
    assert {name: attacked[name] for name in plain if name.startswith(("train/", "test/"))} == {
        name: value for name, value in plain.items() if name.startswith(("train/", "test/"))
    }


def test_knowledge_is_drawn_from_every_class_and_left_out_of_the_grade() -> None:
    rows, truth = torch.arange(100, 200), torch.arange(100) % 4
    known = granted(Knowledge(labels=8), rows, truth)
    assert sorted(known.values()) == [0, 0, 1, 1, 2, 2, 3, 3]
    assert all(int(truth[row - 100]) == label for row, label in known.items())
    right = Guess(torch.tensor(list(known)), torch.tensor(list(known.values())))
    with pytest.raises(ValueError, match="names no training row"):
        grade(right, rows, truth, known)
    with pytest.raises(ValueError, match=r"knowledge.labels=101 are more than the 100"):
        granted(Knowledge(labels=101), rows, truth)


def test_a_grade_by_hand() -> None:
    rows, truth = torch.tensor([7, 8, 9, 10]), torch.tensor([0, 1, 1, 1])
    guess = Guess(torch.tensor([10, 7, 8]), torch.tensor([1, 1, 0]), torch.tensor([0.1, 0.9, 0.2]))
    assert grade(guess, rows, truth) == {"rows": 3.0, "accuracy": 1 / 3, "baseline": 2 / 3, "auc": 1.0}
    with pytest.raises(ValueError, match="it must name rows of its view"):
        grade(Guess(torch.tensor([1]), torch.tensor([0])), rows, truth)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["+attack.keeping.adversary=eve"], "attack.keeping.adversary=eve sees nothing; alice, bob, carol send"),
        (["execution=gloo"], "has stopped|the run has broken off"),
        (
            ["data=synthetic", "data.classes=0", "architecture=tabular", "partition=even_columns"],
            "guesses classes, and the lab",
        ),
    ],
)
def test_what_cannot_be_attacked(more: list[str], said: str, importable: None, tmp_path: Path) -> None:
    base = [word for word in QUICK if "data." not in word] if "data=synthetic" in more else QUICK
    with pytest.raises((ValueError, ConnectionError), match=said):
        execute(configuration(tmp_path, *base, "+attack.keeping._target_=test_view.Keeping", *more))
