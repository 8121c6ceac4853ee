"""Tables and the picture of what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tabulate import tabulate

CASE = ("network", "parties", "batch_size", "threads", "precision")


def tables(found: dict[str, Any]) -> str:
    """Return all tables as Markdown."""
    parts = [make(found[name]) for name, make in MADE.items() if name in found]
    return "\n\n".join(parts)


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Return a table."""
    return tabulate(rows, headers="keys", tablefmt="github", disable_numparse=True)


def of_steps(cases: list[dict[str, Any]]) -> str:
    """Rows a second, and theirs for ours."""
    rows = []
    for case in cases:
        row = {name.replace("_", " "): case[name] for name in CASE if name != "precision" or case["accelerator"] == "gpu"}
        row |= {"rows/s": f"{case['rows/s']['vl-train']:,.0f}"}
        for rival, ratio in case["ratio"].items():
            low, high = case["quartiles"][rival]
            row[f"of {rival}"] = f"{ratio:.2f} ({low:.2f} to {high:.2f})"
        rows.append(row)
    return table(rows)


def of_loader(found: dict[str, Any]) -> str:
    """Microseconds a batch, and memory."""
    ours = found["µs a batch"]["vl-train"]
    rows = [
        {"": way, "µs a batch": f"{spent:.0f}", "of ours": f"{spent / ours:.2f}"} for way, spent in found["µs a batch"].items()
    ]
    tensors, resident = found["memory"]["tensors"], found["memory"]["resident"]
    memory = (
        f"MNIST's rows: {tensors / 1e6:.0f} MB of tensors take {resident / 1e6:.0f} MB of memory ({resident / tensors:.2f})."
    )
    return f"{table(rows)}\n\n{memory}"


def of_start(found: dict[str, Any]) -> str:
    """Seconds."""
    sweep = found["sweep"]
    share = f"{sweep['fit'] / sweep['wall']:.0%} of {sweep['wall']:.0f} s ({sweep['jobs']} jobs)"
    return table(
        [
            {"": "vl-train --help", "measured": f"{found['help']:.2f} s"},
            {"": "--help of a Hydra application without any configuration", "measured": f"{found['empty help']:.2f} s"},
            {"": "vl-train: from the command to the end of the first step", "measured": f"{found['first step']:.1f} s"},
            {"": "a sweep's time in fit", "measured": share},
        ]
    )


def of_peer(found: dict[str, dict[str, Any]]) -> str:
    """Seconds an epoch, of the same round's of ours, and accuracies."""
    return table(
        [
            {
                "": name,
                "s an epoch": f"{one['seconds']:.2f}",
                "of ours": f"{one['of ours']:.2f}",
                "test accuracy": f"{one['test accuracy']:.2%}" if one["test accuracy"] else "",
            }
            for name, one in found.items()
        ]
    )


def of_threads(found: list[dict[str, Any]]) -> str:
    """Milliseconds a batch with one thread and with two, and what is chosen."""
    return table(
        [
            {
                "network": one["network"],
                "parties": one["parties"],
                "rows": f"{one['rows']:,}",
                "10⁶ operations": f"{one['operations'] / 1e6:,.0f}",
                **{f"{number} thread{'s' * (number != '1')}, ms": f"{spent:.2f}" for number, spent in one["ms"].items()},
                "chosen": one["chosen"],
                "of the better": f"{one['ratio']:.2f}",
            }
            for one in found
        ]
    )


def line(own: Sequence[dict[str, Any]]) -> tuple[np.ndarray, str]:
    """Fit a straight line; against rows, to the time of an epoch, which has a part that no row causes."""
    sizes, found = (np.array([one[name] for one in own], dtype=float) for name in ("size", "µs a row"))
    of_rows = own[0]["what"] == "rows"
    terms = np.stack([1 / sizes if of_rows else sizes, np.ones_like(sizes)], axis=1)
    # Relative deviations count: the largest size must not decide alone.
    (grows, fixed), *_ = np.linalg.lstsq(terms / found[:, None], np.ones_like(found), rcond=None)
    said = f"{fixed:.1f} + {grows / 1000:.0f} ms an epoch" if of_rows else f"{fixed:.1f} + {grows:.3g} × {own[0]['what']}"
    return terms @ np.array([grows, fixed]), said


def of_growth(found: list[dict[str, Any]]) -> str:
    """Microseconds a row, and how far they are from a straight line."""
    rows = []
    for name in dict.fromkeys(one["what"] for one in found):
        own = [one for one in found if one["what"] == name]
        fitted, said = line(own)
        for one, expected in zip(own, fitted, strict=True):
            measured = one["µs a row"]
            row = {"": name, "size": f"{one['size']:,}", "µs a row": f"{measured:.1f}"}
            rows.append(row | {"line": said, "off the line": f"{measured / expected - 1:+.0%}"})
    return table(rows)


def draw(found: list[dict[str, Any]], file: Path) -> None:
    """Draw microseconds a row against each size, and the line."""
    if not found:
        return
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    names = list(dict.fromkeys(one["what"] for one in found))
    figure, axes = plt.subplots(1, len(names), figsize=(4 * len(names), 3.2), layout="constrained")
    for axis, name in zip(axes, names, strict=True):
        own = [one for one in found if one["what"] == name]
        sizes, (fitted, said) = [one["size"] for one in own], line(own)
        axis.plot(sizes, fitted, "--", color="gray", label=said)
        axis.plot(sizes, [one["µs a row"] for one in own], "o")
        axis.set(xlabel=name, ylabel="µs a row")
        axis.set_ylim(bottom=0)
        axis.legend(fontsize=8, loc="lower right")
        axis.grid(alpha=0.3)
    figure.savefig(file, dpi=120)
    plt.close(figure)


MADE = {
    "step": of_steps,
    "gpu": of_steps,
    "loader": of_loader,
    "start": of_start,
    "peer": of_peer,
    "growth": of_growth,
    "threads": of_threads,
}
