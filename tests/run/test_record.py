"""TensorBoard's table of hyper-parameters, as its server answers."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path
from typing import Any

from browser import tensorboard

from vertical_lightning.run.record import tabulate

METRICS = ["wire/bytes", "wire/bytes/alice->bob", "val/loss", "train/loss", "psi/intersection", "test/loss", "test/accuracy"]
VALUES: list[str | float] = [10, 2, "fc1", 0.5, 1e-05, 128, 1.0]
IN_ORDER = ["0.00001", "0.5", "1", "2", "10", "128", "fc1"]


def ask(address: str, what: str, **request: Any) -> dict[str, Any]:
    body = json.dumps({"experimentName": "", **request}).encode()
    asked = urllib.request.Request(
        f"{address}data/plugin/hparams/{what}", body, {"Content-Type": "application/json"}, method="POST"
    )
    with urllib.request.urlopen(asked, timeout=60) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


def rows(address: str, **column: Any) -> list[str]:
    """The table's column, as TensorBoard shows texts: without blanks around them."""
    statuses = ["STATUS_SUCCESS", "STATUS_UNKNOWN"]
    wanted = {"colParams": [{"hparam": "cut", **column}], "startIndex": 0, "sliceSize": 100, "allowedStatuses": statuses}
    return [group["hparams"]["cut"].strip() for group in ask(address, "session_groups", **wanted)["sessionGroups"]]


def test_integers_are_integers_rows_can_be_sorted_and_the_test_comes_first(tmp_path: Path) -> None:
    for number, value in enumerate(VALUES):
        tabulate({"cut": value}, METRICS, tmp_path / str(number))
    with tensorboard(tmp_path) as address:
        assert rows(address, order="ORDER_ASC") == IN_ORDER
        assert rows(address, order="ORDER_DESC") == IN_ORDER[::-1]
        assert rows(address, order="ORDER_ASC", filterRegexp="fc|0") == ["0.00001", "0.5", "10", "fc1"]
        found = ask(address, "experiment")["metricInfos"]
    assert [metric["name"]["tag"] for metric in found] == [
        *("test/accuracy", "test/loss", "val/loss", "wire/bytes", "psi/intersection"),
    ]
