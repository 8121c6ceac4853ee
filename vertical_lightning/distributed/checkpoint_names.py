"""Names of checkpoints that another party has chosen, and which of them become paths here."""

from __future__ import annotations

import re

from pytorch_lightning.callbacks import ModelCheckpoint

_PLACE = re.compile(r"\{(\w[^{}:]*)(?::[^{}]*)?\}")
_NUMBER = r"-?\w[\w.+-]{0,40}"


def own_names(saver: ModelCheckpoint) -> re.Pattern[str]:
    """Return the pattern of all names that a party's own callback can give: what it writes around numbers, and numbers.

    >>> names = own_names(ModelCheckpoint(filename="epoch_{epoch:03d}", auto_insert_metric_name=False))
    >>> [bool(names.fullmatch(name)) for name in ("epoch_007.ckpt", "epoch_007-v1.ckpt", "last.ckpt", "..", "a/epoch_1.ckpt")]
    [True, True, True, False, False]
    """
    template = saver.filename or f"{{epoch}}{saver.CHECKPOINT_JOIN_CHAR}{{step}}"
    pattern, end = "", 0
    for place in [*_PLACE.finditer(template), None]:
        written = template[end : place.start()] if place else template[end:]
        if place and saver.auto_insert_metric_name:
            written += place[1] + saver.CHECKPOINT_EQUALS_CHAR
        _, slash, name = written.rpartition("/")  # as in val/loss: what stands before is a folder's name
        pattern = re.escape(name) if slash else pattern + re.escape(written)
        if place:
            pattern, end = pattern + _NUMBER, place.end()
    last = re.escape(saver.CHECKPOINT_NAME_LAST)
    return re.compile(rf"(?:{pattern}|{last})(?:-v\d{{1,6}})?{re.escape(saver.FILE_EXTENSION)}", re.ASCII)
