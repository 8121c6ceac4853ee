"""What a party should know of its exported part, and may: a page beside the files (Mitchell et al. 2019)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

from vertical_lightning.split.submodel import Submodel

PACKAGES = ("vertical_lightning", "torch", "pytorch-lightning")

LIMITS = (
    "It is one party's part: embeddings and logits come about together with the other parties' parts only.",
    "It was trained on the rows that all parties have in common; others may be of another kind.",
    "Whoever receives an embedding may learn of the input that it was made from; whoever sees gradients, of labels.",
)


def model_card(
    party: str,
    run: str,
    settings: Mapping[str, str | float],
    saved: Mapping[str, Any],
    submodels: Sequence[Submodel],
    files: Sequence[str],
) -> str:
    """Write the page as Markdown, of the party's own checkpoint and the settings that all parties agreed on.

    Args:
        party: Whose part.
        run: The folder of the run.
        settings: Its hyper-parameters.
        saved: The party's checkpoint.
        submodels: What was exported.
        files: The names of the files.
    """
    chosen = {name: value for name, value in settings.items() if not name.startswith("data.parties")}
    metrics = {name: f"{value:.4f}" for name, value in sorted(saved["metrics"].items()) if not name.endswith("_step")}
    moment = f"step {saved['global_step']} of epoch {saved['epoch']}"
    told = {
        "Files": [f"`{file}`: {submodel.summary()}" for file, submodel in zip(files, submodels, strict=True)],
        "How it was trained": [f"{name}: {value}" for name, value in chosen.items()],
        f"What {party} knows of how well it does, at {moment}": [f"{name}: {value}" for name, value in metrics.items()],
        "How to run it": [how(party, submodels)],
        "Limits": list(LIMITS),
        "Versions": [f"{name} {version(name)}" for name in PACKAGES],
    }
    sections = [f"## {title}\n\n" + "\n".join(f"- {line}" for line in lines) for title, lines in told.items() if lines]
    return "\n\n".join([f"# {party}'s part of the split network of {run}", *sections]) + "\n"


def how(party: str, submodels: Sequence[Submodel]) -> str:
    """Return a sentence: how features go through the files, what these take and what they give."""
    takes = ", ".join(dict.fromkeys(name for submodel in submodels for name in submodel.inputs))
    gives = ", ".join(dict.fromkeys(submodel.output for submodel in submodels))
    return (
        f"{party}'s features go through `{party}.preprocessing.json` first (medians, means, spreads and categories, as its "
        f"training rows taught them); then the files above, in their order, take {takes} and give {gives}."
    )
