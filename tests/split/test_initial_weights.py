"""A run may start from weights alone: of another run, of one party, of torchvision."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from job import SMALL, run
from running import QUICK
from torchvision.models import resnet18

from vertical_lightning.architectures.resnet18 import ResNet18
from vertical_lightning.merges.mean import Mean
from vertical_lightning.split.checkpoint_file import read
from vertical_lightning.split.initial_weights import start_from
from vertical_lightning.split.topology import Topology

pytestmark = pytest.mark.filterwarnings("ignore")

JOB = [*SMALL, *QUICK, "partition=halves", "optimizer=sgd", "optimizer.lr=0.0"]  # what is loaded stays


def weights(folder: Path, party: str) -> dict[str, torch.Tensor]:
    state: dict[str, torch.Tensor] = read(folder / "checkpoints" / "last.ckpt" / f"{party}.ckpt")["state_dict"]
    return state


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(one[name], value) for name, value in other.items())


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("finished")
    run(folder, *JOB, "trainer.max_epochs=2", "optimizer.lr=0.5", "seed=1")
    return folder


def test_all_parties_of_a_run(finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(tmp_path, *JOB, "trainer.max_epochs=1", f"weights={finished}")
    assert all(same(weights(tmp_path, party), weights(finished, party)) for party in ("alice", "carol", "bob"))
    assert read(tmp_path / "checkpoints" / "last.ckpt" / "bob.ckpt")["epoch"] == 0, "it begins anew"
    assert "alice starts from" in capsys.readouterr().out


def test_one_party_and_the_other_begins_anew(finished: Path, tmp_path: Path) -> None:
    own = finished / "checkpoints" / "last.ckpt" / "alice.ckpt"
    run(tmp_path, *JOB, "trainer.max_epochs=1", f"weights={{alice: {own}}}")
    assert same(weights(tmp_path, "alice"), weights(finished, "alice"))
    assert not same(weights(tmp_path, "bob"), weights(finished, "bob"))


@pytest.mark.parametrize("cut", [1, 3])
def test_torchvisions(cut: int, tmp_path: Path) -> None:
    torch.manual_seed(0)
    trained = resnet18(num_classes=10).eval()
    torch.save(trained.state_dict(), tmp_path / "resnet18.pth")
    network = Topology(ResNet18(small_images=False), {"alice": (3, 64, 64)}, 10, "bob", owners=["bob"], cut=cut, merge=Mean)
    told = start_from(network, {"alice": f"{tmp_path}/resnet18.pth", "bob": f"{tmp_path}/resnet18.pth"})
    assert told.count("all of it") == 2
    images = torch.randn(2, 3, 64, 64)
    assert torch.allclose(network.eval()({"alice": images}), trained(images), atol=1e-5)


def test_a_head_for_other_classes_is_drawn_anew(tmp_path: Path) -> None:
    torch.save(resnet18(num_classes=1000).state_dict(), tmp_path / "resnet18.pth")
    network = Topology(ResNet18(small_images=False), {"alice": (3, 64, 64)}, 10, "bob", owners=["bob"], cut=2, merge=Mean)
    assert "bob starts from" in (told := start_from(network, f"{tmp_path}/resnet18.pth"))
    assert "100 of its 102 tensors" in told or "tensors, the others have another shape" in told


def test_what_cannot_be_loaded_is_a_sentence(finished: Path, tmp_path: Path) -> None:
    torch.save({"a": torch.zeros(1)}, tmp_path / "other.pt")
    torch.save([1], tmp_path / "list.pt")
    (tmp_path / "noise.pt").write_bytes(b"noise")
    for path, said in {
        "nowhere": "has no file",
        f"{tmp_path}/nowhere.pt": "is no file",
        f"{tmp_path}/other.pt": "has 1 tensors, and the uncut network",
        f"{tmp_path}/list.pt": "is no state dict",
        f"{tmp_path}/noise.pt": "is damaged",
        f"{{zoe: {finished}}}": "the parties are alice, carol, bob",
    }.items():
        with pytest.raises(ValueError, match=said):
            run(tmp_path / "run", *JOB, f"weights={path}")
    with pytest.raises(ValueError, match="is of another network than"):
        run(tmp_path / "run", *JOB, "architecture=tabular", f"weights={finished}")
