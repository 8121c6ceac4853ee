"""Which kinds of numbers a run computes with, and sends."""

from __future__ import annotations

import torch


def check_precision(precision: str | int) -> None:
    """Refuse half precision with a loss scale.

    Raises:
        ValueError: If `precision` is fp16.
    """
    if str(precision) in ("16", "16-mixed", "16-true"):
        raise ValueError(
            f"trainer.precision={precision} is refused: with several optimizers Lightning changes the loss scale between two "
            "parties' steps, and gradients come out wrong by factors of 2. Use 32 or bf16-mixed."
        )


def dtypes(precision: str | int) -> list[torch.dtype]:
    """Return the kinds of numbers that may cross.

    >>> dtypes(32), dtypes("bf16-mixed")
    ([torch.float32], [torch.bfloat16, torch.float32])
    """
    name = str(precision)
    if name.startswith("bf16"):
        return [torch.bfloat16, torch.float32] if name.endswith("mixed") else [torch.bfloat16]
    return [torch.float64 if name.startswith("64") else torch.float32]
