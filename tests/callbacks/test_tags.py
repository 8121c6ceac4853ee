"""The list of TensorBoard tags is exact: every tag in the event files is in it, and the other way round."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from event_tags import Tags, written
from job import SMALL, run

PAGE = (Path(__file__).parents[2] / "docs" / "tensorboard.md").read_text()
LINE = re.compile(r"^\| (`[^|]*`) \| ([a-z-]+) \| ([^|]*) \| [^|]+ \|$", re.MULTILINE)
PLUGINS = {
    **{"scalar": "scalars", "image": "images", "text": "text", "histogram": "histograms", "curve": "pr_curves"},
    **{"layout": "custom_scalars", "hyper-parameters": "hparams", "projector": "projector"},
}
"""The page's kinds → the names of TensorBoard's plugins."""

QUIET = ["callbacks.progress_bar.refresh_rate=0", "trainer.max_epochs=2", "trainer.log_every_n_steps=2"]
# Two parties' halves, learned too slowly to make no mistakes; everything on.
IMAGES = ["topology=dual_headed", "optimizer.lr=0.00001", "callbacks=[default,projector,hop_histograms]", *QUIET, *SMALL]
TABLE = ["data=synthetic", "batch_size=32", *QUIET]
TWO_HEADS = {
    "party": ["alice", "carol", "bob"],
    "link": ["alice->bob", "carol->bob"],
    "back": ["bob->alice", "bob->carol"],
    "sender": ["alice", "carol"],
}
ONE_HEAD = {"party": ["alice", "bob"], "link": ["alice->bob"], "back": ["bob->alice"], "sender": ["alice"]}


def documented(conditions: set[str], placeholders: Mapping[str, list[str]]) -> Tags:
    """Expand the page's table for a run of which `conditions` hold."""
    lines = LINE.findall(PAGE)
    assert len(lines) == PAGE.count("\n|") - 2, "a line of the table is not of the form `tags` | kind | where | what"
    found = set()
    for tags, kind, where in lines:
        if {one.strip("`") for one in where.split(", ")} <= {"always", *conditions}:
            suffix = "/text_summary" if kind == "text" else ""
            found |= {(PLUGINS[kind], tag + suffix) for one in re.findall("`(.+?)`", tags) for tag in expand(one, placeholders)}
    return found


def expand(tag: str, placeholders: Mapping[str, list[str]]) -> Iterator[str]:
    """Put every value into a tag's placeholder."""
    name = re.search("<([a-z]+)>", tag)
    for value in placeholders[name[1]] if name else [""]:
        yield re.sub("<[a-z]+>", value, tag)


def test_two_heads_with_everything_on(tmp_path: Path) -> None:
    run(tmp_path, *IMAGES)
    conditions = {"classes", "val rows", "test rows", "images", "projector", "hop_histograms"}
    assert written(tmp_path) == documented(conditions, TWO_HEADS | {"last": ["test"]})


def test_a_table_with_two_classes(tmp_path: Path) -> None:
    run(tmp_path, *TABLE)
    assert written(tmp_path) == documented({"classes", "val rows", "test rows", "two classes"}, ONE_HEAD | {"last": ["test"]})


def test_without_test_rows(tmp_path: Path) -> None:
    run(tmp_path, *TABLE, "datamodule.test_fraction=0", "callbacks=[default,projector]")
    assert written(tmp_path) == documented({"classes", "val rows", "two classes", "projector"}, ONE_HEAD | {"last": ["val"]})


def test_a_table_with_numbers_to_predict_and_everything_on(tmp_path: Path) -> None:
    run(tmp_path, *TABLE, "data.classes=0", "callbacks=[default,projector,hop_histograms]")
    conditions = {"numbers", "val rows", "test rows", "projector", "hop_histograms"}
    assert written(tmp_path) == documented(conditions, ONE_HEAD | {"last": ["test"]})
