"""What a command line may hold: any script's letters, and only places that can be written to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from job import configuration

from vertical_lightning.commands.predict import check
from vertical_lightning.config.compose import allow_party_overrides
from vertical_lightning.run.atomic_folder import atomic_folder, check_writable

WORDS: dict[str, Any] = {
    "data.parties.bank.label=größe": "größe",
    "data.parties.bank.path=/tmp/Übung 1/a=b.csv": "/tmp/Übung 1/a=b.csv",
    "data.classes=[nein,schön]": ["nein", "schön"],
    "data.classes=[ ja , später dann ]": ["ja", "später dann"],
    "data.parties.bank.columns=[größe,alter,収入]": ["größe", "alter", "収入"],
    "party_seed={alice: 1, bob: 2}": {"alice": 1, "bob": 2},
    "out='schön, ja'": "schön, ja",
    'out="schön"': "schön",
    "cut=2": 2,
}


@pytest.mark.parametrize("word", WORDS)
def test_hydra_reads_what_was_typed(word: str) -> None:
    (parsed,) = OverridesParser.create().parse_overrides(allow_party_overrides([word]))
    assert parsed.value() == WORDS[word]


def test_what_was_typed_is_swept() -> None:
    (parsed,) = OverridesParser.create().parse_overrides(allow_party_overrides(["data.parties.bank.label=größe,alter"]))
    assert list(parsed.sweep_string_iterator()) == ['"größe"', "alter"]


def test_a_place_that_cannot_be_written_to_is_refused_before_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "nowhere", Path("/proc")):
        with pytest.raises(ValueError, match=r"nothing can be written to .* choose another place for out="):
            check_writable(folder)
    with pytest.raises(ValueError, match=r"out=.*/file/out cannot be made"), atomic_folder(tmp_path / "file" / "out"):
        pytest.fail("nothing may be done")
    check_writable(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_predictions_that_cannot_be_written_are_refused_before_work(tmp_path: Path) -> None:
    words = [f"+run={tmp_path}", "+name=null", "+split=test", f"+out={tmp_path}/nowhere/out.csv"]
    with pytest.raises(ValueError, match=r"nothing can be written to .*nowhere"):
        check(configuration(tmp_path, *words))
