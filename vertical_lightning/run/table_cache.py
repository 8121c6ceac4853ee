"""Tables, kept for the next jobs of this process: a sweep over architectures and cuts loads once."""

from __future__ import annotations

from collections import OrderedDict

from vertical_lightning.config.compose import Configuration, build
from vertical_lightning.config.table_key import depends_on
from vertical_lightning.data.datamodule import VerticalDataModule

AT_MOST = 8
"""A sweep over data_seed loads once a seed, and comes back to each."""

_kept: OrderedDict[str, VerticalDataModule] = OrderedDict()


def get(node: Configuration) -> VerticalDataModule:
    """Build a data module; if an earlier job had the same tables, they are loaded already."""
    data: VerticalDataModule = build(node)
    if loaded := _kept.get(depends_on(node)):
        data.take_over(loaded)
    return data


def put(node: Configuration, data: VerticalDataModule) -> None:
    """Keep what was loaded, and drop the oldest."""
    bare: VerticalDataModule = build(node)  # without the scaled rows and the trainer that `data` will have
    bare.take_over(data)
    _kept.pop(wanted := depends_on(node), None)
    _kept[wanted] = bare  # the newest
    while len(_kept) > AT_MOST:
        _kept.popitem(last=False)
