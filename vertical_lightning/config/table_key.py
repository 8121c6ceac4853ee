"""What a data module's tables depend on, so that jobs with the same ones load them once."""

from __future__ import annotations

import json

from omegaconf import DictConfig, OmegaConf

from vertical_lightning.config.compose import stamps

LATER = (
    *("aligner", "baseline", "batch_size", "drop_last", "val_fraction", "test_fraction", "folds", "fold", "stratify"),
    *("scaling", "image_range", "task", "shuffle", "workers", "seed", "row_seed"),
)
"""How rows are aligned, divided, scaled and served; the tables depend on all the rest."""


def depends_on(node: DictConfig) -> str:
    """Write down what the tables depend on."""
    whole = OmegaConf.to_container(node, resolve=True)
    assert isinstance(whole, dict)
    kept = {name: value for name, value in whole.items() if name not in LATER}
    return json.dumps([kept, stamps(node.holdings)], sort_keys=True)
