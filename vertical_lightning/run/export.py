"""One party's own part of a trained network, as files that run without this package."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vertical_lightning.config.finished_run import settings_of
from vertical_lightning.config.hparams import hyper_parameters

EXPECTED = (
    *(".*torch.jit.*deprecated", ".*legacy TorchScript-based", "The feature will be removed", "no signature found"),
    ".*might cause the trace to be incorrect",  # what is recorded is tried on a batch of another size
)
"""Warnings about the ways that torch has to these formats."""


def write(run: str, party: str, format: str, out: str, ckpt_path: str | None = None, trust: Sequence[str] = ()) -> str:
    """Write a party's submodels, and return what was written.

    Args:
        run: The folder of a run, with its configuration.
        party: Whose submodels.
        format: Of the files, torchscript or onnx.
        out: The folder to write; it may have other parties' files.
        ckpt_path: The folder of a checkpoint, or of another run; None for the newest of `run`.
        trust: Packages whose classes the run's configuration may name beside this one's.

    Raises:
        ValueError: Something asked for is not there, or `out` is.
    """
    from vertical_lightning.run.atomic_folder import more_of
    from vertical_lightning.run.build_parts import trained_network
    from vertical_lightning.run.model_card import model_card
    from vertical_lightning.split.submodel import FORMATS, submodels

    if format not in FORMATS:
        raise ValueError(f"format={format} is unknown; the formats are {', '.join(FORMATS)}.")
    saving = FORMATS[format]
    with more_of(out) as folder:  # refused before anything takes time
        settings, saved = settings_of(Path(run), trust), read(Path(ckpt_path or run), party)
        own = [submodel for owner, submodel in submodels(*trained_network(settings, saved, party)) if owner == party]
        with warnings.catch_warnings():
            for message in EXPECTED:
                warnings.filterwarnings("ignore", message=message)
            for submodel in own:
                saving.write(submodel, folder / f"{submodel.name}.{saving.suffix}")
        own_rows = preprocessing(saved, party)
        if own_rows:
            (folder / f"{party}.preprocessing.json").write_text(json.dumps(own_rows, indent=1, ensure_ascii=False) + "\n")
        files = [f"{submodel.name}.{saving.suffix}" for submodel in own]
        (folder / f"{party}.card.md").write_text(model_card(party, run, hyper_parameters(settings), saved, own, files))
    moment = f"after step {saved['global_step']} of epoch {saved['epoch']}"
    lines = [f"  {submodel.name}.{saving.suffix}: {submodel.summary()}" for submodel in own]
    lines += [f"  {party}.preprocessing.json: {', '.join(own_rows)}, as its training rows taught them"] if own_rows else []
    lines += [f"  {party}.card.md: what this is, and how it is run"]
    return "\n".join([f"{out}/ has {party}'s part of {run}, {moment}:", *lines])


def preprocessing(saved: Mapping[str, Any], party: str) -> dict[str, Any]:
    """Return what turns the party's raw columns into features, and logits into classes or numbers, in JSON's words.

    Which ids were trained on stays in the checkpoint.
    """
    from vertical_lightning.split.checkpoints import prepared

    state = prepared([dict(saved)]).get(party, {})
    return {name: plain(state[name]) for name in ("scaling", "labels") if state.get(name) is not None}


def plain(value: Any) -> Any:
    """Write tensors as lists."""
    if isinstance(value, dict):
        return {name: plain(part) for name, part in value.items()}
    return value.tolist() if hasattr(value, "tolist") else value


def read(path: Path, party: str) -> dict[str, Any]:
    """Read the party's checkpoint, and nobody else's.

    Raises:
        ValueError: There is none, or it cannot tell the network's shapes.
    """
    from vertical_lightning.split import checkpoint_file
    from vertical_lightning.split.checkpoint_places import parts_of, place

    file = place(path, party)
    if not file.is_file():
        owners = ", ".join(sorted({file.stem for file in parts_of(path)})) or "nobody"
        raise ValueError(f"party={party} has no checkpoint in {path}; there is one of {owners}.")
    saved = checkpoint_file.read(file)
    if "shapes" not in saved:
        raise ValueError(f"{file} was written by an earlier version and lacks the parties' shapes. Go on with the run from it.")
    return saved
