"""A checkpoint is a folder with a file for each party: its own weights, optimizer and schedule, and nobody else's.

The files are the same whether all parties ran in one process or each in its own, so a run can go on either way.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from lightning_fabric.plugins import CheckpointIO

from vertical_lightning.split.checkpoint_file import read, write_all
from vertical_lightning.split.checkpoint_places import parts_of, place

Saved = dict[str, Any]
"""A checkpoint as Lightning makes it, or one party's part of it."""

OF_LABELS = ("callbacks",)
"""Kept by the label holder only: best scores are metrics."""

DATA = ("VerticalDataModule", "PartyDataModule")
"""Lightning's names for the data module's state, which is the same."""


class PartyCheckpoints(CheckpointIO):
    """Lightning's way to the disk, party by party.

    Args:
        here: The parties that run in this process; None for all.
        party_seed: Kept by each party for itself.
        run: Names the run; a loaded checkpoint brings its own.

    Attributes:
        moment: The step of a loaded checkpoint.
        steps: By name, the step of each checkpoint that was saved.
    """

    def __init__(self, here: Collection[str] | None = None, party_seed: object = None, run: str = "") -> None:
        self.here, self.party_seed = here, party_seed
        self.run = run or secrets.token_hex(8)
        self.moment = ""
        self.steps: dict[str, int] = {}
        self._left: Path | None = None

    def save_checkpoint(self, checkpoint: Saved, path: str | os.PathLike[str], storage_options: Any | None = None) -> None:
        """Write one file a party, all of them or none."""
        folder = Path(path)
        self._left = None if self._left == folder else self._left
        folder.mkdir(parents=True, exist_ok=True)
        try:
            write_all({folder / f"{party}.ckpt": self.own(checkpoint, party) for party in self.here or checkpoint["members"]})
        finally:
            if not any(folder.iterdir()):
                folder.rmdir()
        self.steps[folder.name] = int(checkpoint["global_step"])

    def own(self, checkpoint: Saved, party: str) -> Saved:
        """Return what one party keeps."""
        seed = self.party_seed[party] if isinstance(self.party_seed, Mapping) else self.party_seed
        return part(checkpoint, party) | {"run": self.run, "party_seed": seed}

    def load_checkpoint(
        self, path: str | os.PathLike[str], map_location: Callable[..., Any] | None = None, weights_only: bool | None = None
    ) -> Saved:
        """Read the files of the parties that are here and put them together.

        Raises:
            ValueError: A file is missing or damaged, or the files are of different steps or runs.
        """
        by_party = {file.stem: read(file) for file in self.files(Path(path))}
        check_one_moment(by_party)
        first = next(iter(by_party.values()))
        self.run, self.moment = first["run"], f"step {first['global_step']}"
        return whole(by_party)

    def files(self, path: Path) -> Sequence[Path]:
        """Find the wanted parties' files."""
        files = [place(path, party) for party in self.here] if self.here else parts_of(path)
        if missing := [file for file in files if not file.is_file()] or ([path] if not files else []):
            raise ValueError(
                f"ckpt_path={path} has no {', '.join(map(str, missing))}. Give the folder of a run, or of one checkpoint, "
                "with a file NAME.ckpt of each party; the jobs of a sweep keep some with checkpoint=last only."
            )
        return files

    def remove_checkpoint(self, path: str | os.PathLike[str]) -> None:
        """Remove what was to be removed last time: if a party is lost now, all still have a step in common."""
        late, self._left = self._left, Path(path)
        if late is not None and late != self._left and late.is_dir():
            for file in late.glob("*.ckpt"):
                if self.here is None or file.stem in self.here:
                    file.unlink()
            if not any(late.iterdir()):
                late.rmdir()


def part(checkpoint: Saved, party: str) -> Saved:
    """Take one party's part out of what Lightning wants to keep."""
    label_holder = checkpoint["label_holder"]
    holder = party == label_holder
    own = {name: value for name, value in checkpoint.items() if holder or name not in OF_LABELS}
    for name, owners in (("optimizer_states", "trained"), ("lr_schedulers", "scheduled")):
        own[name] = [
            state for state, owner in zip(checkpoint.get(name, ()), checkpoint[owners], strict=False) if owner == party
        ]
        own[owners] = [owner for owner in checkpoint[owners] if owner == party]
    for name in (name for name in DATA if name in own):  # what one party's rows taught it is nobody else's
        own[name] = own[name] | {"prepared": {owner: state for owner, state in own[name]["prepared"].items() if owner == party}}
    prefix = f"network.parties.{party}."
    own["state_dict"] = {name: value for name, value in checkpoint["state_dict"].items() if name.startswith(prefix)}
    for name in ("wire_bytes", "evaluation_wire_bytes"):
        own[name] = {link: count for link, count in checkpoint[name].items() if party in link.split("->")}
    own["optimizers"] = {owner: kind for owner, kind in checkpoint["optimizers"].items() if owner == party}
    own["metrics"] = {
        name: value
        for name, value in checkpoint["metrics"].items()
        if party in knowing(name, checkpoint["members"], label_holder)
    }
    for name in ("window", "epoch_sums"):
        own[name] = checkpoint[name] if holder else {"rows": checkpoint[name]["rows"]}
    return own


def knowing(metric: str, members: Sequence[str], label_holder: str) -> list[str]:
    """Return the parties that know a metric: those that its name ends with, or else the label holder.

    >>> knowing("lr/alice", ["alice", "bob"], "bob"), knowing("wire/bytes/alice->bob", ["alice", "bob"], "bob")
    (['alice'], ['alice', 'bob'])
    """
    named = [member for member in metric.rpartition("/")[2].split("->") if member in members]
    return named or [label_holder]


def whole(by_party: Mapping[str, Saved]) -> Saved:
    """Put parties' parts together, in the order in which all are listed."""
    first = next(iter(by_party.values()))
    holder = by_party.get(first["label_holder"], first)
    parts = [by_party[party] for party in first["members"] if party in by_party]
    merged = dict(holder)
    merged |= dict.fromkeys(DATA, data_of(holder) | {"prepared": prepared(parts)})
    for name in ("optimizer_states", "lr_schedulers", "trained", "scheduled"):
        merged[name] = [state for saved in parts for state in saved[name]]
    for name in ("state_dict", "wire_bytes", "evaluation_wire_bytes", "metrics", "optimizers"):
        merged[name] = {key: value for saved in parts for key, value in saved[name].items()}
    return merged


def data_of(saved: Saved) -> dict[str, Any]:
    """Return the data module's state."""
    return next(dict(saved[name]) for name in DATA if name in saved)


def prepared(parts: Sequence[Saved]) -> dict[str, Any]:
    """Return, by party, what its training rows taught it.

    Raises:
        ValueError: An earlier version wrote the checkpoint, without that.
    """
    states = [data_of(saved) for saved in parts]
    if any("prepared" not in part for part in states):
        raise ValueError("the checkpoint was written by an earlier version, without scaling; train again.")
    return {party: state for part in states for party, state in part["prepared"].items()}


def check_one_moment(by_party: Mapping[str, Saved]) -> None:
    """Refuse parts of different steps or runs.

    Raises:
        ValueError: Says whose part is of which step.
    """
    moments = {party: (saved["run"], saved["epoch"], saved["global_step"]) for party, saved in by_party.items()}
    if len(set(moments.values())) > 1:
        told = "; ".join(f"{party} step {step} of epoch {epoch}, run {run}" for party, (run, epoch, step) in moments.items())
        raise ValueError(f"the parties' checkpoints are of different moments: {told}. Give parts of one step of one run.")
