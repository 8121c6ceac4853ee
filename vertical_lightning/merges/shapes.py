"""What a merge asks of the shapes that it is given."""

from __future__ import annotations

from collections.abc import Mapping

from vertical_lightning.schema import Shape


def same_shape(merge: str, shapes: Mapping[str, Shape]) -> Shape:
    """Return the one shape that all parties send.

    Raises:
        ValueError: If the parties' embeddings differ in shape.
    """
    if len(set(shapes.values())) != 1:
        sent = ", ".join(f"{party} {shape}" for party, shape in shapes.items())
        raise ValueError(
            f"merge={merge} needs embeddings of one shape, but these arrive: {sent}. "
            "Choose merge=concat, a later cut, or pieces of one size."
        )
    return next(iter(shapes.values()))
