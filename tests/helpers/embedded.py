"""A network that begins with an embedding of tokens."""

from __future__ import annotations

from torch import Tensor, nn

from vertical_lightning.schema import Shape, StageFactory


class MeanOfWords(nn.Module):
    """Each token's row of a table, averaged. `long`: while shapes are looked at, all numbers are floats."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(8, 4)

    def forward(self, tokens: Tensor) -> Tensor:
        mean: Tensor = self.words(tokens.long()).mean(1)
        return mean


class Embedded:
    """`words` takes tokens `[rows, steps]`; a head."""

    def stages(self, outputs: int) -> dict[str, StageFactory]:
        return {"words": lambda shape: MeanOfWords(), "head": lambda shape: head(shape, outputs)}


def head(shape: Shape, outputs: int) -> nn.Module:
    return nn.Linear(shape[0], outputs)
