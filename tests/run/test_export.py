"""What `vl-export` writes, chained by hand on new rows, gives the logits of the network that was trained."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from job import SMALL, configuration, run
from omegaconf import OmegaConf
from torch import Tensor

from vertical_lightning.config.compose import build
from vertical_lightning.run.export import write
from vertical_lightning.split import submodel
from vertical_lightning.split.checkpoint_file import read, write_all
from vertical_lightning.split.checkpoints import PartyCheckpoints
from vertical_lightning.split.topology import Topology

pytestmark = [
    pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning:jaxtyping"),  # checks shapes in tests only
    pytest.mark.filterwarnings("ignore:.*torch.jit.*deprecated:FutureWarning"),
]

ROWS = 5
"""Another batch than submodels are recorded with."""

Run = Callable[..., Tensor]

RUNS = {
    "two feature parties": ["partition=halves", "cut=1", "architecture=tabular", "architecture.dropout=0.5"],
    "u_shaped": ["topology=u_shaped", "architecture=lenet"],
    "label holder with features": ["partition=halves", "partition.parties=[alice,bob]", "merge=attention", "cut=fc1"],
    "relay of submodels": ["topology=relay", "architecture=lenet", "partition=halves", "merge=stitch", "cut=conv1"],
    "batch norm": ["architecture=vgg11", "cut=block4"],
    "aggregate": ["topology=aggregate", "partition=halves"],
    "centralized": ["topology=centralized", "partition.parties=[bob]"],
    "doubles": ["trainer.precision=64-true"],
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a run, as `vl-train` leaves it; trained once."""
    found: dict[str, Path] = {}

    def folder(name: str) -> Path:
        if name not in found:
            found[name] = train(tmp_path_factory.mktemp("runs") / "run", *RUNS[name])
        return found[name]

    return folder


def train(folder: Path, *words: str) -> Path:
    words = (*SMALL, "trainer.max_epochs=1", "++trainer.limit_train_batches=2", *words)
    (folder / ".hydra").mkdir(parents=True)
    run(folder, *words)
    OmegaConf.save(configuration(folder, *words, "folder=${hydra:runtime.output_dir}"), folder / ".hydra" / "config.yaml")
    return folder


def torchscript(file: Path) -> Run:
    return torch.jit.load(file)


def onnx(file: Path) -> Run:
    runtime = pytest.importorskip("onnxruntime")
    session = runtime.InferenceSession(file, providers=["CPUExecutionProvider"])

    def run_session(*tensors: Tensor) -> Tensor:
        names = [one.name for one in session.get_inputs()]
        return torch.from_numpy(session.run(None, {name: one.numpy() for name, one in zip(names, tensors, strict=True)})[0])

    return run_session


READERS = {"torchscript": torchscript, "onnx": onnx}


def network(folder: Path) -> Topology:
    """The whole network as it was trained, in evaluation mode."""
    config, saved = OmegaConf.load(folder / ".hydra" / "config.yaml"), PartyCheckpoints().load_checkpoint(folder)
    built: Topology = build(config.topology)(
        build(config.architecture), saved["shapes"], saved["outputs"], merge=build(config.merge)
    )
    state = {name.removeprefix("network."): one for name, one in saved["state_dict"].items()}
    built.to(next(one.dtype for one in state.values() if isinstance(one, Tensor)))
    built.load_state_dict(state)
    return built.eval()


def exported(folder: Path, form: str, out: Path, whole: Topology) -> dict[str, Run]:
    """Every party's submodels, by name; each exported where no other party's file is."""
    for party in whole.members:
        alone = out / "alone" / party
        (alone / "checkpoints" / "last.ckpt").mkdir(parents=True)
        shutil.copytree(folder / ".hydra", alone / ".hydra")
        shutil.copy(folder / "checkpoints" / "last.ckpt" / f"{party}.ckpt", alone / "checkpoints" / "last.ckpt")
        write(str(alone), party, form, str(out / party))
        assert all(file.name.startswith(f"{party}.") for file in (out / party).iterdir())
    files = [file for party in whole.members for file in (out / party).iterdir() if file.suffix not in (".json", ".md")]
    return {file.stem: READERS[form](file) for file in files}


def chained(found: dict[str, Run], whole: Topology, features: dict[str, Tensor]) -> Tensor:
    arrived = [found.pop(f"{party}.bottom")(features[party]) for party in whole.feature_parties]
    for owner, _ in whole.segments:
        arrived = [found.pop(f"{owner}.top")(*arrived)]
    assert not found
    return arrived[0]


@pytest.mark.parametrize("form", list(READERS))
@pytest.mark.parametrize("name", list(RUNS))
def test_submodels_in_a_row_are_the_network(name: str, form: str, trained: Callable[[str], Path], tmp_path: Path) -> None:
    pytest.importorskip("onnx") if form == "onnx" else None
    whole = network(trained(name))
    kind = next(whole.parameters()).dtype
    generator = torch.Generator().manual_seed(1)
    features = {party: torch.randn(ROWS, *shape, generator=generator, dtype=kind) for party, shape in whole.shapes.items()}
    with torch.no_grad():
        expected = whole(features)
        torch.testing.assert_close(
            chained(exported(trained(name), form, tmp_path, whole), whole, features), expected, rtol=1e-5, atol=1e-5
        )


@pytest.mark.parametrize("form", list(READERS))
def test_the_same_twice_and_for_one_row(form: str, trained: Callable[[str], Path], tmp_path: Path) -> None:
    """Dropout is off, and a row's embedding does not depend on its batch."""
    pytest.importorskip("onnx") if form == "onnx" else None
    write(str(trained("two feature parties")), "alice", form, str(tmp_path / "out"))
    bottom = READERS[form](next((tmp_path / "out").glob("alice.bottom.*")))
    features = torch.randn(7, 1, 28, 14, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        first = bottom(features)
        assert torch.equal(first, bottom(features))
        torch.testing.assert_close(bottom(features[:1]), first[:1])


def test_names_and_shapes(trained: Callable[[str], Path], tmp_path: Path) -> None:
    """What is told, and what an ONNX file says of itself."""
    runtime = pytest.importorskip("onnxruntime")
    folder = trained("label holder with features")
    told = write(str(folder), "bob", "onnx", str(tmp_path / "out"))
    assert "bob's part" in told and "after step 2 of epoch" in told
    assert "bob.bottom.onnx: features [batch, 1, 28, 14] → embedding [batch, 128]; 50,304 parameters" in told
    assert (
        "bob.top.onnx: embedding_alice [batch, 128], embedding_bob [batch, 128] → logits [batch, 10]; 89,226 parameters" in told
    )
    session = runtime.InferenceSession(tmp_path / "out" / "bob.top.onnx")
    assert {one.name: one.shape for one in session.get_inputs()} == {
        "embedding_alice": ["batch", 128],
        "embedding_bob": ["batch", 128],
    }
    assert [one.name for one in session.get_outputs()] == ["logits"]


def test_the_card_says_what_the_party_may_know(trained: Callable[[str], Path], tmp_path: Path) -> None:
    folder = trained("two feature parties")
    for party in ("alice", "bob"):
        write(str(folder), party, "torchscript", str(tmp_path / "out"))
    alice, bob = ((tmp_path / "out" / f"{party}.card.md").read_text() for party in ("alice", "bob"))
    assert "`alice.bottom.pt`: features [batch, 1, 28, 14]" in alice and "architecture: Tabular" in alice and "torch " in alice
    assert "val/accuracy: 0." in bob and "val/accuracy" not in alice, "metrics are the label holder's"


def test_later_owners_name_the_sender(trained: Callable[[str], Path], tmp_path: Path) -> None:
    folder = trained("u_shaped")
    assert "server.top.pt: embedding_alice [" in write(str(folder), "server", "torchscript", str(tmp_path / "server"))
    told = write(str(folder), "bob", "torchscript", str(tmp_path / "bob"))
    assert "bob.top.pt: embedding_server [" in told and "→ logits [batch, 10]" in told


def test_another_checkpoint(trained: Callable[[str], Path], tmp_path: Path) -> None:
    """`ckpt_path` names it, whatever lies in the run's folder."""
    folder, other = trained("two feature parties"), tmp_path / "other"
    other.mkdir()
    saved = read(folder / "checkpoints" / "last.ckpt" / "alice.ckpt")
    for one in saved["state_dict"].values():
        one.zero_() if isinstance(one, Tensor) else None
    write_all({other / "alice.ckpt": saved})
    write(str(folder), "alice", "torchscript", str(tmp_path / "out"), ckpt_path=str(other))
    assert not torch.jit.load(tmp_path / "out" / "alice.bottom.pt")(torch.ones(2, 1, 28, 14)).any()


def test_a_run_in_processes(trained: Callable[[str], Path], tmp_path: Path) -> None:
    """Every party's checkpoints are in a folder of its own."""
    folder = trained("two feature parties")
    shutil.copytree(folder / ".hydra", tmp_path / "run" / ".hydra")
    shutil.copytree(folder / "checkpoints", tmp_path / "run" / "alice" / "checkpoints")
    assert "alice.bottom.pt" in write(str(tmp_path / "run"), "alice", "torchscript", str(tmp_path / "out"))


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "party": ({"party": "zoe"}, "party=zoe has no checkpoint in .*; there is one of alice, bob, carol"),
    "format": ({"format": "pickle"}, "format=pickle is unknown; the formats are torchscript, onnx"),
    "run": ({"run": "nowhere"}, "run=nowhere is no run: there is no nowhere/.hydra/config.yaml"),
    "checkpoint": ({"ckpt_path": "nowhere"}, "party=alice has no checkpoint in nowhere; there is one of nobody"),
}


@pytest.mark.parametrize("wrong", list(BAD))
def test_errors(wrong: str, trained: Callable[[str], Path], tmp_path: Path) -> None:
    given, sentence = BAD[wrong]
    right = {
        "run": str(trained("two feature parties")),
        "party": "alice",
        "format": "torchscript",
        "out": str(tmp_path / "out"),
    }
    with pytest.raises(ValueError, match=sentence):
        write(**(right | given))
    assert not list(tmp_path.iterdir())


def test_parties_share_a_folder_and_nothing_is_overwritten(trained: Callable[[str], Path], tmp_path: Path) -> None:
    run_folder, out = str(trained("two feature parties")), tmp_path / "out"
    for party in ("alice", "bob"):
        write(run_folder, party, "torchscript", str(out))
    found = {path.name: path.stat().st_mtime_ns for path in out.iterdir()}
    assert {"alice.bottom.pt", "bob.top.pt"} <= set(found)
    with pytest.raises(ValueError, match=r"has .*alice.bottom.pt.* already; nothing is overwritten"):
        write(run_folder, "alice", "torchscript", str(out))
    assert found == {path.name: path.stat().st_mtime_ns for path in out.iterdir()}


@pytest.mark.parametrize(
    ("party", "sentence"),
    [("server", "party=server owns no stages of this run's network; alice, bob do"), ("bob", "not of this run's network")],
)
def test_a_checkpoint_of_another_run(party: str, sentence: str, trained: Callable[[str], Path], tmp_path: Path) -> None:
    other = train(tmp_path / "other")
    with pytest.raises(ValueError, match=sentence):
        write(str(other), party, "torchscript", str(tmp_path / "out"), ckpt_path=str(trained("u_shaped")))


def test_onnx_is_an_extra(trained: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(submodel, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"pip install 'vertical_lightning\[onnx\]'"):
        write(str(trained("two feature parties")), "alice", "onnx", str(tmp_path / "out"))
    assert not list(tmp_path.iterdir())


def test_an_owner_of_several_ranges_has_a_file_for_each() -> None:
    """Bob's bottom, then Bob, then the server, then Bob again."""
    from vertical_lightning.architectures.mlp import Mlp
    from vertical_lightning.merges.concat import Concat

    shapes = {"alice": (3,), "bob": (4,)}
    built = Topology(Mlp([5, 6, 7]), shapes, 2, "bob", owners=["bob", "server", "bob"], cut=[1, 2, 3], merge=Concat)
    found = [(part.name, list(part.inputs)) for _, part in submodel.submodels(built, torch.float32)]
    assert found == [
        ("alice.bottom", ["features"]),
        ("bob.bottom", ["features"]),
        ("bob.top", ["embedding_alice", "embedding_bob"]),
        ("server.top", ["embedding_bob"]),
        ("bob.top2", ["embedding_server"]),
    ]


class Numbered(torch.nn.Module):
    """A stage that looks at the number of rows."""

    def forward(self, rows: Tensor) -> Tensor:
        return rows.reshape(int(rows.shape[0]), 3) + torch.arange(float(len(rows)))[:, None]


def test_a_stage_that_looks_at_the_rows_is_refused(tmp_path: Path) -> None:
    """Recording would fix the number of rows."""
    odd = submodel.Submodel("alice.bottom", {"odd": Numbered()}, {"features": (3,)}, "embedding", torch.float32)
    with pytest.warns(torch.jit.TracerWarning), pytest.raises(ValueError, match=r"alice.bottom cannot be exported: .*\(odd\)"):
        submodel.torchscript(odd, tmp_path / "file")


def command(module: str, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", f"vertical_lightning.commands.{module}", *words]
    return subprocess.run(line, cwd=folder, capture_output=True, text=True, timeout=300)


def test_command_line(trained: Callable[[str], Path], tmp_path: Path) -> None:
    """A sentence without a traceback; then files, and no output of Hydra's."""
    done = command("export", tmp_path, "party=alice")
    assert done.returncode != 0 and "run is missing: say vl-export" in done.stderr and "Traceback" not in done.stderr
    done = command("export", tmp_path, f"run={trained('two feature parties')}", "party=alice")
    assert done.returncode == 0, done.stderr
    assert "alice.bottom.pt: features [batch, 1, 28, 14] → embedding [batch, 64]" in done.stdout
    assert [file.name for file in tmp_path.iterdir()] == ["export"]
    written = sorted(file.name for file in (tmp_path / "export").iterdir())
    assert written == ["alice.bottom.pt", "alice.card.md", "alice.preprocessing.json"]


@pytest.mark.slow
def test_what_vl_train_leaves(tmp_path: Path) -> None:
    """Its own configuration file, one process a party."""
    quick = ["data=synthetic", "partition=even_columns", "data.rows=600", "architecture=tabular", "trainer.max_epochs=1"]
    quick += ["cut=1", "label_holder=alice", "trainer.accelerator=cpu", "hydra.run.dir=run"]
    done = command("train", tmp_path, *quick, "execution=gloo")
    assert done.returncode == 0, done.stderr
    for party in ("alice", "carol"):
        done = command("export", tmp_path, "run=run", f"party={party}", f"out={party}")
        assert done.returncode == 0, done.stderr
    assert sorted(file.name for file in tmp_path.glob("*/*.pt")) == ["alice.bottom.pt", "alice.top.pt", "carol.bottom.pt"]
