"""Which way a metric is better, as its name says."""

from __future__ import annotations

import re

LOWER = re.compile(r"(^|[/_])(loss|rmse|mae|error|bytes|seconds|leakage)($|[/_])")


def less_is_better(metric: str) -> bool:
    """Whether less of a metric is better.

    >>> less_is_better("val/loss"), less_is_better("wire/bytes/alice->bob"), less_is_better("val/accuracy")
    (True, True, False)
    """
    return LOWER.search(metric) is not None


def mode_of(metric: str) -> str:
    """Return Lightning's word for the way that a metric is better: `min` or `max`.

    >>> mode_of("val/rmse"), mode_of("val/accuracy")
    ('min', 'max')
    """
    return "min" if less_is_better(metric) else "max"
