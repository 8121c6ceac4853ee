"""How much a network computes in a batch, without computing it."""

from __future__ import annotations

import torch
from torch.utils.flop_counter import FlopCounterMode

from vertical_lightning.split.topology import Topology

ROWS = 2
"""Enough to count by; what is counted grows with the rows."""


def operations(network: Topology, rows: int) -> int:
    """Count multiplications and additions of the forward pass of a batch, of all parties together.

    Args:
        network: With no party here, so that all of it is on the device `meta`: every process counts the same.
        rows: Of the batch.
    """
    features = {party: torch.empty(ROWS, *shape, device="meta") for party, shape in network.shapes.items()}
    with torch.no_grad(), FlopCounterMode(display=False) as counted:
        network(features)
    return int(counted.get_total_flops()) * rows // ROWS
