"""How many threads of torch a job takes, so that jobs which run at once do not fight."""

from __future__ import annotations

import torch

from vertical_lightning.config.job_cores import cores, share_of


def use(asked: int | None) -> None:
    """Let torch take as many threads as asked for, or the job's part of the cores."""
    if (number := share_of(asked)) is not None:
        torch.set_num_threads(number)


WORTHWHILE = 100_000_000
"""Multiplications and additions of a batch's forward pass that are worth a thread: a second one is taken from twice as many on,
a third from three times. Below, threads wait for one another longer than they compute. See experiments/benchmarks/speed."""


def fitting(operations: int, most: int | None) -> int:
    """Return as many threads as a batch gives work to.

    Args:
        operations: Of a batch's forward pass, of all parties: the same number in one process and in several, which then
            compute the same bits.
        most: The job's part of the cores; None for what Hydra's launcher leaves it, or else all.
    """
    return max(1, min(most or share_of(None) or cores(), operations // WORTHWHILE))
