"""At the end of a run: what each party holds, and what it sent and received."""

from __future__ import annotations

from collections.abc import Sequence

import pytorch_lightning as pl
from tabulate import tabulate

from vertical_lightning.data.datamodule import VerticalDataModule
from vertical_lightning.split.loggers import describe
from vertical_lightning.split.split_module import SplitModule


class BoundaryReport(pl.Callback):
    """After fit prints a line a party, and keeps the whole table in the loggers as text `boundary`.

    Args:
        whole: Whether to print the whole table, too: every tensor that a party holds, sent and received.
    """

    def __init__(self, whole: bool = False) -> None:
        self.whole = whole

    def on_fit_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Print and log."""
        assert isinstance(pl_module, SplitModule)
        data = getattr(trainer, "datamodule", None)
        tables = {
            party: tabulate(
                [*(held(party, data) if isinstance(data, VerticalDataModule) else []), *trained(party, pl_module)],
                headers=["", "tensor", "shape"],
            )
            for party in pl_module.network.parties  # those in this process
        }
        text = "\n\n".join(f"{party}\n{table}" for party, table in tables.items())
        printed = text if self.whole else "\n".join(f"  {summary(party, pl_module)}" for party in tables)
        print(f"\nBoundary report\n\n{printed}\n")
        describe({"boundary": text}, trainer, trainer.global_step)


def summary(party: str, module: SplitModule) -> str:
    """Say in a line what a party holds, and what crossed its boundary since the run began."""
    weights = sum(tensor.numel() for tensor in module.network.own(party).parameters())
    links = [f"{link} {count / 1e6:.2f} MB" for link, count in module.wire.bytes.items() if party in link.split("->")]
    return f"{party}: {weights:,} weights; {', '.join(links) or 'nothing crossed'}"


def held(party: str, data: VerticalDataModule) -> list[list[str]]:
    """List the rows that a party holds."""
    lines = []
    for split in ("train", "val", "test"):
        rows = data.splits[split]
        if party in rows.features:
            lines.append(["holds", f"{split} features", shape(rows.features[party].shape)])
        if party == data.label_holder:
            lines.append(["holds", f"{split} labels", shape(rows.labels.shape)])
    return lines


def trained(party: str, module: SplitModule) -> list[list[str]]:
    """List a party's weights and statistics, what crosses in a step, and the bytes that crossed in the run."""
    own = module.network.own(party)
    lines = [["holds", name, shape(tensor.shape)] for name, tensor in [*own.named_parameters(), *own.named_buffers()]]
    for hop in module.wire.hops:
        for sender, receiver, what in ((hop.sender, hop.receiver, "embedding"), (hop.receiver, hop.sender, "gradient")):
            if party in (sender, receiver):
                crossed = f"{what} {sender}->{receiver}"
                row = shape(hop.received.shape[1:])
                lines.append(["sent" if party == sender else "received", crossed, f"batch × {row}"])
    for link, count in module.wire.bytes.items():
        if party in link.split("->"):
            lines.append(["in all", link, f"{count:,} bytes"])
    return lines


def shape(size: Sequence[int]) -> str:
    """Write a shape."""
    return " × ".join(map(str, size)) or "scalar"
