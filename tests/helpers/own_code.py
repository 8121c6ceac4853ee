"""A folder of a user's own: for each thing that can be added one file and one yaml, far from any checkout."""

from __future__ import annotations

from pathlib import Path

CODE = {
    "my_data": """
import pandas as pd, torch
from vertical_lightning.schema import Table

class MyData:
    def __init__(self, rows):
        self.rows = rows

    def load(self):
        columns = torch.randn(self.rows, 4, generator=torch.Generator().manual_seed(0))
        labels = (columns.sum(dim=1) > 0).long()
        frame = pd.DataFrame(columns.numpy(), columns=["a", "b", "c", "d"])
        return {"all": Table(list(range(self.rows)), frame, labels, ["no", "yes"])}
""",
    "my_architecture": """
import math
from torch import nn

class MyArchitecture:
    def __init__(self, width):
        self.width = width

    def stages(self, outputs):
        return {
            "first": lambda shape: nn.Sequential(nn.Linear(math.prod(shape), self.width), nn.Tanh()),
            "head": lambda shape: nn.Linear(math.prod(shape), outputs),
        }
""",
    "my_merge": """
from torch import nn

class MyMerge(nn.Module):
    def __init__(self, shapes):
        super().__init__()

    def forward(self, embeddings):
        return sum(embeddings[1:], embeddings[0])
""",
    "my_codec": """
import torch
from vertical_lightning.split.codec import Codec

class MyCodec(Codec):
    def encode(self, tensor, forward=None):
        return {"half": tensor.half()}

    def decode(self, payload, shape, dtype, forward=None):
        return payload["half"].to(dtype)

    def layout(self, shape, dtype, forward=None):
        return {"half": torch.empty(shape, dtype=torch.half, device="meta")}
""",
    "my_schedule": """
class MySchedule:
    def step(self, module, batch, batch_idx):
        loss, logits = module.exchange(batch, batch_idx)
        module.local(batch)
        return loss, logits

    def check(self, module):
        pass
""",
    "my_defense": """
from vertical_lightning.split.guard import Guard

class MyDefense(Guard):
    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def gradient(self, gradient, end, own):
        return self.factor * gradient
""",
    "my_attack": """
import torch
from vertical_lightning.split.view import Guess, Knowledge

class MyAttack:
    def __init__(self, adversary, knowledge):
        self.adversary, self.knowledge = adversary, knowledge

    def guess(self, view):
        seen = [(one.rows, next(iter(one.received.values()))) for one in view.transcript]
        print("attacker sees", len(seen), "steps", sorted(view.stages), len(view.labels), "labels")
        rows = torch.cat([rows for rows, _ in seen])
        norms = torch.cat([tensor.norm(dim=1) for _, tensor in seen])
        return Guess(rows, (norms > norms.median()).long(), norms)
""",
    "my_callback": """
import pytorch_lightning as pl

class MyCallback(pl.Callback):
    def on_fit_end(self, trainer, pl_module):
        print("my callback was here", pl_module.wire.bytes.total())
""",
}
YAML = {
    "data/mine": "_target_: my_data.MyData\nrows: 300\n",
    "architecture/mine": "_target_: my_architecture.MyArchitecture\nwidth: 8\n",
    "merge/mine": "_target_: my_merge.MyMerge\n_partial_: true\n",
    "codec/mine": "_target_: my_codec.MyCodec\n_partial_: true\n",
    "schedule/mine": "_target_: my_schedule.MySchedule\n",
    "defense/mine": "mine:\n  _target_: my_defense.MyDefense\n  _partial_: true\n  factor: 0.5\n",
    "attack/mine": (
        "mine:\n  _target_: my_attack.MyAttack\n  adversary: alice\n  knowledge:\n"
        "    _target_: vertical_lightning.split.view.Knowledge\n    labels: 10\n"
    ),
    "callbacks/mine": "mine:\n  _target_: my_callback.MyCallback\n",
}


def write_own_code(folder: Path) -> None:
    for name, text in CODE.items():
        (folder / f"{name}.py").write_text(text)
    for name, text in YAML.items():
        file = folder / "conf" / f"{name}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


WORDS = [
    *("--config-dir", "conf", "data=mine", "architecture=mine", "merge=mine", "codec=mine", "schedule=mine", "defense=mine"),
    *("callbacks=[default,mine]", "partition=even_columns", "cut=1", "batch_size=32", "trainer.max_epochs=2"),
    *("callbacks.progress_bar.refresh_rate=0", "hydra.run.dir=run", "threads=1"),
]
