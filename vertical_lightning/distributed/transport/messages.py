"""Every message in words that parties exchange, and its form; tensors and the alignment's points have forms of their own."""

from __future__ import annotations

import math
from collections.abc import Iterable

from vertical_lightning.distributed.transport.form import (
    Form,
    either,
    exactly,
    fields,
    named,
    nothing,
    real,
    several,
    text,
    truth,
    whole,
)

ROW = 2**24
"""Most numbers of a row."""

ROWS = 2**26
"""Most rows of a split."""


def name(value: object) -> None:
    """A party's name, as the package allows it."""
    if not isinstance(value, str) or not value.isidentifier() or len(value) > 100:
        raise ValueError("it must be a party's name: letters, digits, underscores, up to 100")


def row(value: object) -> None:
    """The shape of a row of a party's features."""
    several(whole(0, ROW), most=8)(value)
    if isinstance(value, list) and math.prod(value) > ROW:
        raise ValueError(f"it must be the shape of up to {ROW:,} numbers")


DRAWN = text("[0-9a-f]{16}", most=16)
"""A run's name."""

CHECKPOINT = text(r"|[\w=+-][\w=.,+-]*\.ckpt")
"""A checkpoint's name; which ones a party may have made, its own callbacks say."""

ADDRESS = either(exactly(""), text(r"[\w.:%\[\]-]+:\d{1,5}", most=300))
VERSIONS_AND_SETTINGS = named(text(r"[\w./-]+"), text(most=2000), most=300)
BATCHES = either(nothing, whole(0), real(0, 1))
"""How many, or which share of all."""

DURATION: dict[str, Form] = {
    "max_epochs": either(nothing, whole(-1)),
    "min_epochs": either(nothing, whole(0)),
    "max_steps": whole(-1),
    "min_steps": either(nothing, whole(0)),
    "fast_dev_run": either(truth, whole(0)),
    "overfit_batches": either(whole(0), real(0, 1)),
    "limit_train_batches": BATCHES,
    "limit_val_batches": BATCHES,
    "limit_test_batches": BATCHES,
    "num_sanity_val_steps": either(nothing, whole(-1)),
    "check_val_every_n_epoch": either(nothing, whole(1)),
    "val_check_interval": BATCHES,
    "reload_dataloaders_every_n_epochs": whole(0),
}
"""How long to train, and when to validate: the label holder says so, and the others follow."""

FACTS: dict[str, Form] = {
    "the run": VERSIONS_AND_SETTINGS,
    "how long to train": fields(duration=fields(DURATION), run=DRAWN),
    "the tables": fields(tables=either(nothing, text("all|train|train, test"))),
    "rows": fields(
        shape=either(nothing, row), counts=named(text("train|val|test|all"), whole(0, ROWS), most=3), outputs=whole(1, 2**20)
    ),
    "the order of rows": fields(key=either(nothing, text("[0-9a-f]{64}"))),
    "the aligned entities": fields(alignment=either(nothing, text("[0-9a-f]{64}"))),
    "where all can go on": fields(
        kept=either(nothing, several(fields(run=DRAWN, epoch=whole(0), step=whole(0)), most=100)),
    ),
    "where to go on": fields(run=DRAWN, epoch=whole(0), step=whole(0)),
    "whose weights to test": fields(run=DRAWN, moment=text(r"|step \d{1,16}")),
    "stopping and checkpoints": fields(
        stop=truth,
        kept=several(named(CHECKPOINT, whole(0), most=1000), most=100),
        links=several(named(text(r"(last|best)\.ckpt"), CHECKPOINT, most=2), most=100),
    ),
}
"""What parties say of the run, by what they speak of."""

HELLO = fields(party=name, members=several(name, most=1000), whom=name, address=ADDRESS)
"""The first message of a client."""

BOOK = fields(missing=several(name, most=1000), book=named(name, ADDRESS, most=1000))
"""The server's answer: which parties are missing, and who listens where."""

ABORT = fields(party=name, error=text(r"[A-Za-z_][\w.]{0,99}|Ctrl-C"))
"""Whose error ended the run, and its class."""

BARE = fields()
"""A goodbye, and a sign of life."""


def about(what: str, facts: Form) -> Form:
    """Return the form of a message about something."""
    return fields(what=exactly(what), facts=facts)


def by_party(members: Iterable[str], facts: Form) -> Form:
    """Return the form of what the label holder passes on."""
    return fields(**dict.fromkeys(members, facts))
