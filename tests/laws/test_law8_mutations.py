"""Law 8: a seeded fault must fail the checks that the other laws use."""

from __future__ import annotations

from collections.abc import Callable

import faults_of_the_rows as rows
import faults_of_the_step as step
import faults_of_the_wire as wire
import pytest
import torch
from aligned_data import check_rows, numbered
from boundary import check_boundary
from equality import Case, check_equals_uncut
from evaluation import check_evaluation
from guarding import check_codec_bytes, check_defense_acts

from vertical_lightning.split.audit import BoundaryError

pytestmark = pytest.mark.filterwarnings("ignore")
Patch = Callable[[object, str, object], None]
RELAY = Case("relay", 2, "concat")
WIDE = Case("splitnn", 3, "mean")
HOLDER = Case("splitnn_holder", 2, "sum")
CLIPPED = Case("splitnn", 3, "sum", clip=0.05)


def check_all_rows() -> None:
    data = numbered(3)
    data.setup("fit")
    check_rows(data, data.train_dataloader())
    check_rows(data, data.val_dataloader(), split="val")


def equals(case: Case) -> Callable[[], None]:
    return lambda: check_equals_uncut(case)


FAULTS: dict[str, tuple[Callable[[Patch], None], Callable[[], None]]] = {
    "cut removed": (wire.cut_removed, check_boundary),
    "copy removed": (wire.copy_removed, check_boundary),
    "oldest hop first": (wire.oldest_hop_first, equals(RELAY)),
    "gradient of another party": (wire.gradient_of_another_party, equals(Case())),
    "one hop forgotten": (wire.one_hop_forgotten, equals(Case())),
    "stale hops": (wire.stale_hops, equals(Case())),
    "rounded on the way": (wire.rounded_on_the_way, equals(Case(dtype=torch.float32))),
    "a defense never called": (wire.defense_never_called, check_defense_acts),
    "bytes of the dense tensor": (wire.bytes_of_the_dense_tensor, check_codec_bytes),
    "mean scaled": (step.mean_scaled, equals(WIDE)),
    "optimizer recreated (momentum)": (step.optimizer_recreated, equals(Case())),
    "optimizer recreated (Adam)": (step.optimizer_recreated, equals(Case(optimizer="adam"))),
    "gradient not zeroed": (step.gradient_not_zeroed, equals(Case())),
    "one party never stepped": (step.one_party_never_stepped, equals(Case())),
    "first party stepped twice": (step.first_party_stepped_twice, equals(Case())),
    "clipped by the global norm": (step.clipped_by_the_global_norm, equals(CLIPPED)),
    "not clipped": (step.not_clipped, equals(CLIPPED)),
    "momentum lost": (step.momentum_lost, equals(HOLDER)),
    "blocks swapped": (step.blocks_swapped, equals(Case())),
    "bottom left in train mode": (step.bottom_left_in_train_mode, check_evaluation),
    "positions of another party": (rows.positions_of_another_party, check_all_rows),
    "labels shuffled": (rows.served(lambda batch: batch._replace(labels=batch.labels.roll(1))), check_all_rows),
    "one block rolled": (rows.served(rows.one_block_rolled), check_all_rows),
    "row numbers rolled": (rows.served(lambda batch: batch._replace(rows=batch.rows.roll(1))), check_all_rows),
    "ragged batch dropped": (rows.ragged_batch_dropped, check_all_rows),
    "rows drawn with replacement": (rows.rows_drawn_with_replacement, check_all_rows),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_seeded_fault_is_noticed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rows.fault, check = FAULTS[name]
    check()  # sound without the fault
    rows.fault(monkeypatch.setattr)
    # Torch itself refuses to walk a graph twice.
    with pytest.raises(RuntimeError if name == "stale hops" else (AssertionError, BoundaryError)):
        check()
