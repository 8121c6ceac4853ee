"""Tables, kept for the next jobs of this process: a sweep over architectures and cuts loads once."""

from __future__ import annotations

import json
from collections import OrderedDict

from omegaconf import DictConfig, OmegaConf

from vertical_lightning.config.compose import build, stamps
from vertical_lightning.data.datamodule import VerticalDataModule

LATER = (
    *("aligner", "baseline", "batch_size", "drop_last", "val_fraction", "test_fraction", "folds", "fold", "stratify"),
    *("scaling", "image_range", "task", "shuffle", "workers", "seed", "row_seed"),
)
"""How rows are aligned, divided, scaled and served; the tables depend on all the rest."""

AT_MOST = 8
"""A sweep over data_seed loads once a seed, and comes back to each."""

_kept: OrderedDict[str, VerticalDataModule] = OrderedDict()


def get(node: DictConfig) -> VerticalDataModule:
    """Build a data module; if an earlier job had the same tables, they are loaded already."""
    data: VerticalDataModule = build(node)
    if found := _kept.get(depends_on(node)):
        data.take_over(found)
    return data


def put(node: DictConfig, data: VerticalDataModule) -> None:
    """Keep what was loaded, and drop the oldest."""
    bare: VerticalDataModule = build(node)  # without the scaled rows and the trainer that `data` will have
    bare.take_over(data)
    _kept.pop(wanted := depends_on(node), None)
    _kept[wanted] = bare  # the newest
    while len(_kept) > AT_MOST:
        _kept.popitem(last=False)


def depends_on(node: DictConfig) -> str:
    """Write down what the tables depend on."""
    whole = OmegaConf.to_container(node, resolve=True)
    assert isinstance(whole, dict)
    kept = {name: value for name, value in whole.items() if name not in LATER}
    return json.dumps([kept, stamps(node.holdings)], sort_keys=True)
