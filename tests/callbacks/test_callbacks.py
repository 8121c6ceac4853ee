"""What the callbacks show is what there was."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from job import SMALL, configuration, run
from main_job import SCALARS
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.util import tensor_util
from torch import Tensor

from vertical_lightning.callbacks.charts import layout
from vertical_lightning.callbacks.confusion_matrix import ConfusionMatrix, count, draw
from vertical_lightning.callbacks.mistakes import Mistakes
from vertical_lightning.config.compose import build
from vertical_lightning.data.datamodule import VerticalDataModule
from vertical_lightning.run.build_parts import build_module
from vertical_lightning.schema import VerticalBatch
from vertical_lightning.split.checkpoints import PartyCheckpoints
from vertical_lightning.split.split_module import SplitModule

ON_REQUEST = "callbacks=[default,projector,hop_histograms]"
JOB = [
    "topology=dual_headed",
    "cut=1",
    "trainer.max_epochs=2",
    "trainer.log_every_n_steps=2",
    ON_REQUEST,
    "callbacks.projector.rows=50",
]


def read(folder: Path) -> EventAccumulator:
    return EventAccumulator(str(folder), size_guidance={"tensors": 0, "histograms": 0}).Reload()


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("on_request")
    run(folder, *JOB, *SMALL)
    return folder


def rebuilt(folder: Path) -> tuple[SplitModule, VerticalDataModule]:
    """Build the run's data, and its network as it ended."""
    config = configuration(folder, *JOB, *SMALL)
    data: VerticalDataModule = build(config.datamodule)
    data.setup("fit")
    module = build_module(config, data)
    module.load_state_dict(PartyCheckpoints().load_checkpoint(folder / "checkpoints" / "last.ckpt")["state_dict"])
    return module.eval(), data


def test_projector_has_the_first_test_rows_of_each_hop_with_their_labels(finished: Path) -> None:
    module, data = rebuilt(finished)
    test = data.splits["test"]
    for party in ("alice", "carol"):
        (folder,) = finished.glob(f"*/embedding%2f{party}->bob")
        assert (folder / "metadata.tsv").read_text().split() == [data.classes[label] for label in test.labels[:50].tolist()]
        expected = module.network.run(party, module.network.bottoms[party], test.features[party][:50])
        np.testing.assert_allclose(np.loadtxt(folder / "tensors.tsv"), expected.detach(), rtol=1e-4, atol=1e-5)


def test_histograms_count_every_number_that_crossed(finished: Path) -> None:
    events, (_, data) = read(finished), rebuilt(finished)
    sizes = [len(rows) for rows in torch.arange(len(data.splits["train"])).split(32)]
    steps = [event.step for event in events.Scalars("gradient_norm/alice")]
    assert len(steps) == len(sizes)  # every second batch of two epochs
    for tag in ("embedding/alice->bob", "gradient/bob->alice", "embedding/carol->bob", "gradient/bob->carol"):
        histograms = events.Histograms(tag)
        assert [event.step for event in histograms] == steps
        assert [event.histogram_value.num for event in histograms] == [128 * sizes[step % len(sizes)] for step in steps]
    norms = [event.value for event in events.Scalars("embedding_norm/alice->bob")]
    values = [event.histogram_value for event in events.Histograms("embedding/alice->bob")]
    squares = [value.sum_squares / (value.num / 128) for value in values]
    # The mean norm of a row is at most the root of the mean square, and here not far from it.
    assert all(0.8 * square < norm**2 <= square * (1 + 1e-5) for norm, square in zip(norms, squares, strict=True))


def test_texts_say_what_was_run(finished: Path) -> None:
    events = read(finished)
    texts = {
        name: events.Tensors(f"{name}/text_summary")[0].tensor_proto.string_val[0].decode()
        for name in ("configuration", "topology", "leak_statement")
    }
    _, data = rebuilt(finished)
    assert all(text.startswith("```\n") and text.endswith("\n```") for text in texts.values())
    assert "\nbatch_size: 32\n" in texts["configuration"] and "\n    rows: 50\n" in texts["configuration"]
    assert "alice: fc1 ─►┐\ncarol: fc1 ─►┴─ bob: merge fc2 head ── logits, loss" in texts["topology"]
    said = {name: f"{name}{alignment.statement}" for name, alignment in data.alignments.items()}
    assert list(said) == ["train", "test"]
    assert all("".join(one.split()) in "".join(texts["leak_statement"].split()) for one in said.values())


def test_a_chart_shows_the_tags_that_it_means_and_no_other() -> None:
    meant = {
        **{score: {f"epoch/{score}"} for score in ("loss", "accuracy", "auroc")},
        "bytes per link": {tag for tag in SCALARS if tag.startswith("wire/bytes/")},
        "gradient norm per party": {f"gradient_norm/{party}" for party in ("alice", "carol", "bob")},
    }
    tags = SCALARS | {
        "train/auroc",
        "val/auroc",
        "test/auroc",
        "epoch",
        *(f"epoch/{score}" for score in ("loss", "accuracy", "auroc")),
    }
    charts = {name: chart for charts in layout(["accuracy", "auroc"]).values() for name, chart in charts.items()}
    shown = {name: {tag for one in tested for tag in tags if re.match(one, tag)} for name, (_, tested) in charts.items()}
    assert shown == meant
    assert list(layout(["rmse", "r2"])["Learning"]) == ["loss", "rmse", "r2"]


def batch(labels: Sequence[int]) -> VerticalBatch:
    """Rows whose every number is their row number: an image's piece at alice, columns at carol."""
    rows = torch.arange(len(labels))
    images = rows.float().reshape(-1, 1, 1, 1).expand(-1, 1, 4, 2)
    return VerticalBatch({"alice": images, "carol": images.flatten(1)}, torch.tensor(labels), rows)


def one_hot(predicted: Sequence[int], classes: int = 3) -> Tensor:
    return torch.eye(classes)[list(predicted)]


def test_mistakes_are_the_wrong_rows_of_all_batches_up_to_the_limit(finished: Path) -> None:
    module, _ = rebuilt(finished)
    mistakes = Mistakes(rows=3)
    mistakes.look(one_hot([0, 2, 1]), batch([0, 1, 2]), module)
    mistakes.look(one_hot([1, 0, 0]), batch([1, 1, 2]), module)
    assert mistakes.pairs == [(1, 2), (2, 1), (1, 0)]
    assert set(mistakes.pieces) == {"alice"}, "a table has no picture"
    assert torch.cat(mistakes.pieces["alice"])[:, 0, 0, 0].tolist() == [1, 2, 1]


def test_confusion_matrix_counts_rows_by_true_and_predicted_class(finished: Path) -> None:
    module, _ = rebuilt(finished)
    matrix = ConfusionMatrix()
    matrix.look(one_hot([0, 2, 1]), batch([0, 1, 1]), module)
    matrix.look(one_hot([2]), batch([1]), module)
    counts = count(torch.cat(matrix.true), torch.cat(matrix.predicted), 3)
    assert counts.tolist() == [[1, 0, 0], [0, 1, 2], [0, 0, 0]]
    figure = draw(counts, ["cat", "dog", "eel"], "test")
    (axis,) = figure.axes
    # x is the predicted class, y the true one, and row 0 lies on top.
    assert {text.get_position(): text.get_text() for text in axis.texts} == {(0, 0): "1", (1, 1): "1", (2, 1): "2"}
    assert [label.get_text() for label in axis.get_xticklabels()] == ["cat", "dog", "eel"]
    assert (axis.get_xlabel(), axis.get_ylabel()) == ("predicted", "true") and axis.yaxis_inverted()
    assert figure.get_suptitle() == "2 of 4 test rows are right"


def test_many_classes_have_no_numbers() -> None:
    few, many = (draw(torch.ones(size, size), [str(one) for one in range(size)], "test").axes[0] for size in (20, 21))
    assert (len(few.texts), len(many.texts)) == (400, 0)


def test_precision_and_recall_are_of_all_test_rows_and_class_1(tmp_path: Path) -> None:
    job = ["data=synthetic", "batch_size=32", "trainer.max_epochs=1", "callbacks.progress_bar.refresh_rate=0"]
    run(tmp_path, *job)
    data: VerticalDataModule = build(configuration(tmp_path, *job).datamodule)
    data.setup("fit")
    positive = int(data.splits["test"].labels.sum())
    ((event,)) = read(tmp_path).Tensors("test/precision_recall")
    true_positives, false_positives, *_ = tensor_util.make_ndarray(event.tensor_proto)
    assert (true_positives[0], false_positives[0]) == (positive, len(data.splits["test"]) - positive)
    assert true_positives[64] > 0.6 * positive > false_positives[64], "at 0.5 most rows are right"
