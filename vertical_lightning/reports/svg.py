"""Matplotlib's figures as SVG that lives in a page: its text takes the page's font and color, light or dark."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

INK = "#010203"
"""A color that stands for the color of the text around the picture in the page."""

PAPER = "#fdfcfb"
"""A color that stands for the background of the page."""

PALETTE = ("#2f7fc1", "#d9662b", "#2f9e77", "#b65fa5", "#c49a1a", "#7a7fd6")
"""Told apart by color-blind readers too, and seen on white as on black."""

BASELINE = "#8a8f98"

SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "vertical_lightning",
    "text.parse_math": False,  # a swept value may hold a dollar sign
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.formatter.useoffset": False,
    **{name: INK for name in ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color")},
}


def svg(width: float, height: float, draw: Callable[[Axes], None]) -> str:
    """Return a figure of so many inches as an SVG element, drawn by `draw`.

    The figure has a canvas of its own: no window system is asked, and no state is shared as with pyplot.
    """
    buffer = io.StringIO()
    with matplotlib.rc_context(SETTINGS):
        figure = Figure(figsize=(width, height))
        draw(figure.add_subplot())
        nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        figure.savefig(buffer, format="svg", transparent=True, bbox_inches="tight", pad_inches=0.05, metadata=nothing)
    text = buffer.getvalue()
    text = text[text.index("<svg") :].replace(INK, "currentColor").replace(PAPER, "var(--paper)")
    # What follows would only repeat itself in a page with several pictures.
    return re.sub(r' (id="[\w.]+_\d+"|xmlns(:xlink)?="[^"]*"|version="1.1")', "", text).strip()


def grid(drawn: Axes) -> None:
    """Draw faint lines that the eye can follow."""
    drawn.grid(color=INK, alpha=0.12, linewidth=0.8)
    drawn.set_axisbelow(True)
    drawn.tick_params(length=0)
