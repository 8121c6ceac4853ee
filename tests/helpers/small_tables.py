"""Tables in which every cell has a value of its own, so that its way can be followed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from vertical_lightning.schema import Features, PartyTable, Table


def table_of(features: Features) -> Table:
    rows = len(features)
    return Table([f"id {row}" for row in range(rows)], features, torch.arange(rows) % 2, ["no", "yes"])


def picture(rows: int = 2, channels: int = 2, height: int = 5, width: int = 7) -> Tensor:
    """Every pixel has a value of its own."""
    return torch.arange(rows * channels * height * width).reshape(rows, channels, height, width)


def columns(rows: int = 4, count: int = 5) -> pd.DataFrame:
    return pd.DataFrame({f"c{number}": np.arange(rows) + 100 * number for number in range(count)})


def blocks(tables: dict[str, PartyTable]) -> list[Tensor]:
    return [table.features for table in tables.values() if isinstance(table.features, Tensor)]
