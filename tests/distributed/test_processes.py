"""One process a party gives what one process gives: every metric, every weight, to the last bit."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from certificates import certificates
from event_tags import written
from job import SMALL, configuration, run
from resumable import equal
from two_runs import comparable, weights

from vertical_lightning.run.party import begin_party, run_party

pytestmark = pytest.mark.filterwarnings("ignore")

QUICK = ["trainer.max_epochs=2", "trainer.log_every_n_steps=3", "threads=1", "callbacks.progress_bar.refresh_rate=0"]
CASES = {
    "two parties, relay of one": ["topology=relay", "partition=images_labels", "architecture=lenet", "cut=[2,3]"],
    "three parties, momentum, a private seed each": [
        *("topology=dual_headed", "cut=1", "optimizer=sgd", "optimizer.momentum=0.9", "party_seed={alice:1,carol:2,bob:3}"),
    ],
    "u-shaped, clipped": ["topology=u_shaped", "partition=halves", "clip_norm=0.5", "scheduler=cosine"],
    "a label holder with pixels": ["topology=splitnn", "partition=halves", "label_holder=carol", "merge=attention"],
    "nothing to train at the label holder": ["topology=aggregate", "partition=halves"],
    "bf16": ["topology=splitnn", "partition=halves", "trainer.precision=bf16-mixed"],
    "numbers, dropout": ["architecture=tabular", "data=synthetic", "data.classes=0", "partition=even_columns", "cut=1"],
    "noise, and a private amount of it": [
        *("partition=halves", "defense=gaussian_noise", "++defense.gaussian_noise.parties.alice.std=0.5"),
    ],
    "top-k": ["topology=u_shaped", "partition=halves", "codec=top_k"],
    "fedbcd": ["topology=u_shaped", "partition=halves", "schedule=fedbcd", "clip_norm=0.5"],
    "all three, grpc": ["partition=halves", "defense=gaussian_noise", "codec=top_k", "schedule=fedbcd", "execution=grpc"],
    "a LeNet beside an MLP": [
        *("partition=halves", "++architecture.parties.carol._target_=vertical_lightning.architectures.lenet.LeNet"),
        "cut={carol:fc1,bob:1}",
    ],
    "grpc": ["topology=u_shaped", "partition=halves", "execution=grpc"],
}


def settings(words: list[str]) -> list[str]:
    return [*(["batch_size=32"] if "data=synthetic" in words else SMALL[:2]), *QUICK, *words]


@pytest.mark.parametrize("case", CASES)
def test_the_same_numbers_to_the_last_bit(case: str, tmp_path: Path) -> None:
    [execution] = [word for word in CASES[case] if word.startswith("execution=")] or ["execution=gloo"]
    words = settings([word for word in CASES[case] if word != execution])
    one = run(tmp_path / "one", *words)
    apart = run(tmp_path / "apart", *words, execution)
    assert comparable(apart) == comparable(one)
    ours, theirs = weights(tmp_path / "apart"), weights(tmp_path / "one")
    assert ours.keys() == theirs.keys()
    assert not [name for name, value in ours.items() if not equal(value, theirs[name])]


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Settings of gRPC with mutual TLS, a certificate for each party."""
    folder = tmp_path_factory.mktemp("certificates")
    made = {party: certificates(folder, party) for party in ("alice", "bob")}
    paths = {key: {party: str(own[key]) for party, own in made.items()} for key in ("certificate", "key", "authority")}
    listed = {key: ",".join(f"{party}:{path}" for party, path in own.items()) for key, own in paths.items()}
    written = [f"execution.{key}={{{files}}}" for key, files in listed.items()]
    return ["execution=grpc", *written]


def test_mutual_tls(certified: list[str], tmp_path: Path) -> None:
    words = settings(["partition=images_labels"])
    one = run(tmp_path / "one", *words)
    apart = run(tmp_path / "apart", *words, *certified)
    assert comparable(apart) == comparable(one)


@pytest.mark.parametrize("wire", ["gloo", "grpc"])
def test_bytes_are_those_of_the_frames(wire: str, tmp_path: Path) -> None:
    """N·Σd·4 of embeddings, as much of gradients; a header of 64 bytes a frame on top; validation goes one way."""
    words = [
        "partition=halves",
        "topology=splitnn",
        "execution=gloo",
        f"execution={wire}",
        "callbacks.boundary_report.whole=true",
    ]
    metrics = run(tmp_path, *settings(words))
    said = (tmp_path / "alice" / "output.txt").read_text()
    rows = {split: int(re.findall(rf"holds +{split} features +(\d+) ", said)[0]) for split in ("train", "val", "test")}
    batches = {split: -(-count // 32) for split, count in rows.items()}
    epochs, row = 2, 640 * 4
    for party in ("alice", "carol"):
        out, back = f"{party}->bob", f"bob->{party}"
        assert metrics[f"wire/bytes/{out}"] == metrics[f"wire/bytes/{back}"] == epochs * rows["train"] * row
        assert metrics[f"wire/evaluation_bytes/{out}"] == (epochs * rows["val"] + rows["test"]) * row
        assert metrics[f"wire/measured/{out}"] == epochs * (rows["train"] + rows["val"]) * row
        assert metrics[f"wire/measured/{back}"] == epochs * rows["train"] * row
        assert metrics[f"wire/framed/{out}"] - metrics[f"wire/measured/{out}"] == 64 * epochs * (
            batches["train"] + batches["val"]
        )
        assert metrics[f"wire/framed/{back}"] - metrics[f"wire/measured/{back}"] == 64 * epochs * batches["train"]
    assert metrics["wire/bytes"] == 2 * epochs * rows["train"] * 2 * row


def test_the_page_lists_every_tag(tmp_path: Path) -> None:
    """Each party's TensorBoard has what docs/tensorboard.md says of processes, and nothing that it does not say."""
    run(tmp_path, *settings(["partition=images_labels", "execution=gloo"]))
    for party, other in (("alice", "bob"), ("bob", "alice")):
        found = {tag for _, tag in written(tmp_path / party)}
        ways = [f"{one}->{two}" for one, two in ((party, other), (other, party))]
        assert {f"wire/{what}/{way}" for what in ("measured", "framed") for way in ways} <= found
        assert {"time/step", "time/compute", "time/wait", "time/transfer", "gradient_norm/" + party} <= found
        assert ("test/accuracy" in found) == (party == "bob"), "metrics are the label holder's"
        assert ("leakage/alice" in found) == (party == "alice"), "who has the input measures"


def test_an_execution_that_joins_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="execution=local joins parties of one process"):
        run_party(configuration(tmp_path, *SMALL), "alice", "127.0.0.1:1")
    with pytest.raises(ConnectionError):
        run(tmp_path, *SMALL, "execution=gloo", "execution.patience=0.001")


def test_what_launchers_set_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RANK", "LOCAL_RANK", "WORLD_SIZE", "TORCHELASTIC_RUN_ID"):
        monkeypatch.setenv(name, "1")
    begin_party()
    assert not {name for name in os.environ if "RANK" in name or "WORLD_SIZE" in name or "TORCHELASTIC" in name}
