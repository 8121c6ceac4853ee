"""Each party turns its own columns into numbers for a network, by what its own training rows say and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import pandas as pd
import torch
from torch import Tensor

from vertical_lightning.data.standardization import SCALINGS, Standardization, tensor_of
from vertical_lightning.data.table_encoding import TableEncoding
from vertical_lightning.schema import Features, PartyTable


class Preprocessor(Protocol):
    """Fitted once on one party's own training rows, then applied to all its rows."""

    def transform(self, features: Features) -> Tensor:
        """Return float32 `[rows, …]` (tokens int64), a copy."""

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps: numbers, text and tensors."""


def preprocessor(
    training: Features,
    kind: str | None = None,
    scaling: str | None = None,
    image_range: tuple[float, float] = (0.0, 1.0),
) -> Preprocessor:
    """Choose by what the features are, and fit.

    Args:
        training: One party's own training rows.
        kind: What a tensor holds: `images`, `numbers` or `tokens`; None: uint8 of three or more dimensions is images.
        scaling: `standard`, `none` or `per_channel`; None: images fill `image_range`, numbers are standardized.
        image_range: The numbers that black and white become.

    Raises:
        ValueError: The scaling is none of these, or tokens are no whole numbers.

    >>> preprocessor(torch.zeros(2, 1, 28, 28, dtype=torch.uint8))
    ImageScaling(low=0.0, high=1.0)
    """
    if scaling not in (None, *SCALINGS):
        raise ValueError(f"scaling={scaling} is none of {', '.join(SCALINGS)}; null fills image_range with images.")
    if isinstance(training, pd.DataFrame):
        return TableEncoding(scaling or "standard").fit(training)
    kind = kind or kind_of(training)
    if kind == "tokens":
        return Tokens()
    if kind == "images" and scaling is None:
        return ImageScaling(*image_range)
    return Standardization(scaling or "standard").fit(training)


def kind_of(features: Tensor) -> str:
    """Say what a tensor holds: a table of bytes is a table; images have two more dimensions.

    >>> kind_of(torch.zeros(5, 3, dtype=torch.uint8)), kind_of(torch.zeros(5, 28, 28, dtype=torch.uint8))
    ('numbers', 'images')
    """
    return "images" if features.dtype == torch.uint8 and features.dim() > 2 else "numbers"


@dataclass(frozen=True)
class ImageScaling:
    """Pixels 0 … 255 → [low, high]. The range is the file format's, so nothing is learned from the rows.

    >>> ImageScaling().transform(torch.tensor([[0, 51, 255]], dtype=torch.uint8))
    tensor([[0.0000, 0.2000, 1.0000]])
    """

    low: float = 0.0
    high: float = 1.0

    def __post_init__(self) -> None:
        """Refuse an empty range."""
        if not self.low < self.high:
            raise ValueError(f"low={self.low}, high={self.high} is no range; give low below high, such as 0 and 1.")

    def transform(self, features: Features) -> Tensor:
        """Return float32 pixels of the same shape."""
        return tensor_of(features).to(torch.float32, copy=True).div_(255).mul_(self.high - self.low).add_(self.low)

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps."""
        return asdict(self)


@dataclass(frozen=True)
class Tokens:
    """Whole numbers that name words or codes, for a network that begins with an embedding; they stay as they are.

    >>> Tokens().transform(torch.tensor([[3, 1]], dtype=torch.int32)).dtype
    torch.int64
    """

    def transform(self, features: Features) -> Tensor:
        """Return int64 of the same shape."""
        return tensor_of(features).to(torch.int64, copy=True)

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps: nothing is learned."""
        return {}


def kept(scaling: Preprocessor) -> dict[str, Any]:
    """Return what a checkpoint keeps of a preprocessor: its name and state."""
    return {"form": type(scaling).__name__, **scaling.state_dict()}


def restored(state: Mapping[str, Any]) -> Preprocessor:
    """Return the preprocessor that a checkpoint kept.

    >>> restored(kept(ImageScaling(-1.0, 1.0)))
    ImageScaling(low=-1.0, high=1.0)
    """
    form, own = state["form"], {name: value for name, value in state.items() if name != "form"}
    if form == "TableEncoding":
        return TableEncoding.restored(own)
    if form == "Standardization":
        return Standardization.restored(own)
    return ImageScaling(**own) if form == "ImageScaling" else Tokens()


def check_alike(party: str, tables: Mapping[str, PartyTable]) -> None:
    """Refuse tensors that differ in shape or kind between training and test: some would be broadcast without a word."""
    blocks = {split: table.features for split, table in tables.items() if isinstance(table.features, Tensor)}
    kinds = {split: (tuple(block.shape[1:]), tables[split].kind or kind_of(block)) for split, block in blocks.items()}
    if len(set(kinds.values())) > 1:
        told = ", ".join(f"{split} {list(shape)} of {kind}" for split, (shape, kind) in kinds.items())
        raise ValueError(f"{party}'s features differ from table to table: {told}. Give all rows one shape and one dtype.")
