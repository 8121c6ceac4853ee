"""What a party without labels knows of an epoch."""

from __future__ import annotations

from typing import Any

from torch import Tensor


class RowCount:
    """What a party without labels can sum up: how many rows there were."""

    def __init__(self) -> None:
        self.rows = 0

    def update(self, loss: Tensor, logits: Tensor, labels: Tensor) -> None:
        """Count one batch."""
        self.rows += len(labels)

    def merge(self, later: RowCount) -> None:
        """Add the rows of another count."""
        self.rows += later.rows

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint in the middle of an epoch keeps."""
        return {"rows": self.rows}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a checkpoint."""
        self.rows = state["rows"]

    def means(self) -> dict[str, float]:
        """Nothing is known."""
        return {}

    def compute(self) -> dict[str, float]:
        """Nothing is known."""
        return {}
