"""Ids become the same bytes at every party, and no error shows an id."""

import traceback
import unicodedata

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vertical_lightning.psi.identifiers import canonical

SECRET = "secret-4711"
PLAIN = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(str.strip)


def refusal(ids):
    """Return the error's message, after checking that neither it nor its traceback shows an id."""
    with pytest.raises(ValueError, match="bank") as caught:
        canonical(ids, "bank")
    shown = "".join(traceback.format_exception(caught.value))
    assert caught.value.__context__ is None
    for value in ids:
        for part in value if isinstance(value, tuple) else (value,):
            assert len(str(part)) < 5 or str(part) not in shown
    return str(caught.value)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (5, "5"),
        (-5, " -5\n"),
        (5, np.int64(5)),
        (5, np.uint8(5)),
        ("ab", np.str_("ab ")),
        (2**70, str(2**70)),
        (unicodedata.normalize("NFC", "Zoé Å"), unicodedata.normalize("NFD", "Zoé Å")),
        (("de", 7), ("de ", np.int32(7))),
    ],
)
def test_different_spellings_of_one_id_are_equal(one, other):
    """What two parties may write differently is one id."""
    assert canonical([one], "bank") == canonical([other], "shop")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ann", "ann"),
        ("007", 7),
        ("m²", "m2"),
        (2**53, 2**53 + 1),
        (("ab", "c"), ("a", "bc")),
        (("ab",), "ab"),
        (("a", "b"), "ab"),
        (("a", "b"), "a\x00\x00\x00\x01b"),
        (("a", "b"), ("b", "a")),
        (("a", "bc"), ("a", "b", "c")),
    ],
)
def test_different_ids_stay_different(one, other):
    """Nothing is folded that may name two entities."""
    assert len(set(canonical([one, other], "bank"))) == 2


@settings(max_examples=100, deadline=None)
@given(st.lists(st.one_of(PLAIN, st.lists(PLAIN, min_size=1, max_size=3).map(tuple)), min_size=2, max_size=2))
def test_only_equal_ids_collide(pair):
    """Two ids collide only if they are equal after stripping and NFC; a composite key never equals a plain one."""

    def clean(value):
        return tuple(map(clean, value)) if isinstance(value, tuple) else unicodedata.normalize("NFC", value).strip()

    one, other = (canonical([value], "bank")[0] for value in pair)
    assert (one == other) == (clean(pair[0]) == clean(pair[1]))


@settings(max_examples=50, deadline=None)
@given(PLAIN)
def test_canonical_text_is_a_fixed_point(text):
    """Ids that were exported in canonical form and come back are unchanged."""
    (once,) = canonical([text], "bank")
    assert canonical([once.decode()], "bank") == [once]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (None, "missing"),
        (float("nan"), "missing"),
        (np.nan, "missing"),
        (np.float64("nan"), "missing"),
        (pd.NA, "type NAType"),
        (pd.NaT, "type NaTType"),
        ("", "empty"),
        (" \t", "empty"),
        ((), "empty"),
        (("de", ""), "inside a tuple: empty"),
        (("de", None), "inside a tuple: missing"),
        (("de", ("nested",)), "inside a tuple: of type tuple"),
        (4711.5, "float"),
        (float(2**53), "float"),
        (np.float32(4711.5), "float32"),
        (True, "type bool"),
        (np.True_, "type bool"),
        (b"secret-bytes", "type bytes"),
        ("secret-\ud800", "not valid Unicode"),
    ],
)
def test_a_bad_id_is_refused_by_row(bad, reason):
    """The error says what and in which row."""
    message = refusal([SECRET, bad])
    assert "1 " in message and reason in message and "(row 1)" in message


def test_an_endless_integer_is_refused_by_row():
    """Python itself refuses to write it, without saying which row."""
    with pytest.raises(ValueError, match=r"bank: .*1 an integer too long to write \(row 1\)"):
        canonical([1, 10**5000], "bank")


def test_all_faults_are_counted_and_few_rows_shown():
    """One error lists every kind of fault; a long list of rows is cut."""
    message = refusal([SECRET, *[None] * 1200, "", 4711.5])
    assert "1200 missing" in message and "rows 1, 2, 3, 4, 5 and 1,195 more" in message
    assert "1 empty (row 1201)" in message and "(row 1202)" in message


def test_duplicates_are_refused_after_normalizing():
    """Copies count whatever way they are written."""
    message = refusal(["secret-a", "secret-b", "secret-a ", "secret-c", "secret-b", "secret-a"])
    assert "2 ids occur more than once (rows 0, 1, 2, 4, 5)" in message
    assert "rows 0, 1" in refusal([4711, "4711"])


def test_no_ids_are_refused():
    """An empty list is a mistake, not an empty intersection."""
    assert "no ids" in refusal([])


def test_columns_of_pandas_and_numpy_are_ids():
    """Ids come out of a table column as they are."""
    expected = [b"3", b"1"]
    assert canonical(pd.Series([3, 1]), "bank") == canonical(np.array([3, 1]), "bank") == expected
    assert canonical(pd.Series(["3", "1"]), "bank") == canonical(np.array(["3", "1"]), "bank") == expected
