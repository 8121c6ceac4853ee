"""One run pays; the others read; nobody reads what is not theirs, damaged or foreign."""

import multiprocessing
import os
import stat

import pytest
import torch

from vertical_lightning.psi.openmined import OpenMined
from vertical_lightning.psi.star import Star

IDS = {"bank": ["secret-e", "secret-d", "secret-b", "secret-a"], "shop": ["secret-b", "x", "secret-d"]}


class Counted(OpenMined):
    """An engine that writes down, in a file, each run that draws keys: processes have no other common memory."""

    def __init__(self, path):
        """Keep the path."""
        super().__init__()
        self.path = path

    def key(self):
        """Note that a run draws a key."""
        with open(self.path, "a") as file:
            file.write("key\n")
        return super().key()


@pytest.fixture(name="align")
def align_fixture(tmp_path):
    """Return a function that aligns with a cache; it returns the result and whether the protocol ran."""
    drawn = tmp_path / "drawn"

    def align(ids=IDS, label_holder="bank", folder="cache", **choices):
        drawn.write_text("")
        star = Star(Counted(drawn), cache=True, cache_folder=str(tmp_path / folder), **choices)
        return star.align(ids, label_holder), bool(drawn.read_text())

    return align


def same(one, other):
    """Say whether two results are one but for the time."""
    rows = all(torch.equal(one.positions[party], other.positions[party]) for party in one.positions)
    return rows and (one.rows, one.bytes, one.statement) == (other.rows, other.bytes, other.statement)


def test_the_second_run_reads_what_the_first_found(align):
    """The same result, without the protocol."""
    first, ran = align()
    assert ran and not first.cached
    again, ran = align()
    assert again.cached and not ran and same(first, again)
    assert again.positions["shop"].dtype == torch.int64


@pytest.mark.parametrize(
    "change",
    [
        {"ids": IDS | {"shop": ["secret-b", "y", "secret-d"]}},
        {"ids": IDS | {"shop": ["secret-d", "x", "secret-b"]}},
        {"ids": IDS | {"clinic": ["secret-b"]}},
        {"ids": {"bank": IDS["bank"], "mill": IDS["shop"]}},
        {"label_holder": "shop"},
        {"bucket": 100},
        {"min_overlap": 1},
        {"folder": "another"},
    ],
    ids=str,
)
def test_what_the_result_depends_on_is_computed_again(align, change):
    """Other ids, the same in another order, other parties, another in the middle, another way."""
    align()
    found, ran = align(**change)
    assert ran and not found.cached
    plain = Star(OpenMined()).align(change.get("ids", IDS), change.get("label_holder", "bank"))
    assert all(torch.equal(plain.positions[party], found.positions[party]) for party in plain.positions)


def files(tmp_path):
    """Return all files of the cache."""
    return [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]


def results(tmp_path):
    """Return the files of results."""
    return [path for path in files(tmp_path) if path.name in IDS and path.parent.name != "secrets"]


@pytest.mark.parametrize("party", ["bank", "shop"])
@pytest.mark.parametrize("where", [0, 31, 32, 45, -1])
def test_a_damaged_file_is_found_and_computed_again(align, tmp_path, party, where, caplog):
    """One flipped bit anywhere; afterwards the cache is whole again."""
    first, _ = align()
    path = next(one for one in results(tmp_path) if one.name == party)
    content = bytearray(path.read_bytes())
    content[where] ^= 1
    path.write_bytes(content)
    again, ran = align()
    assert ran and same(first, again)
    assert "damaged or from elsewhere" in caplog.text
    assert not align()[1]


@pytest.mark.parametrize("content", [b"", b"x", b"\0" * 5000])
def test_a_cut_or_foreign_file_is_computed_again(align, tmp_path, content):
    """Empty, short, long: never a crash, never a result."""
    align()
    results(tmp_path)[0].write_bytes(content)
    assert align()[1] and not align()[1]


def test_a_result_of_other_ids_under_this_name_is_computed_again(align, tmp_path):
    """Whoever copies a file in place of another: the keyed hash covers the name."""
    align()
    before = set(results(tmp_path))
    align(IDS | {"shop": ["secret-b", "secret-a"]})
    other = next(path for path in results(tmp_path) if path not in before and path.name == "shop")
    next(path for path in before if path.name == "shop").write_bytes(other.read_bytes())
    assert align()[1]


def test_a_missing_file_of_one_party_is_computed_again(align, tmp_path):
    """Half a result is none."""
    align()
    results(tmp_path)[0].unlink()
    assert align()[1] and not align()[1]


def test_only_the_owner_can_read_and_no_id_is_written(align, tmp_path):
    """Folders 0700, files 0600, whatever the umask; and nothing of an id in names or contents."""
    before = os.umask(0)
    try:
        align()
    finally:
        os.umask(before)
    assert len(files(tmp_path)) == 5  # two secrets, two results, a lock
    for path in (tmp_path / "cache" / "alignments").rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
        assert "secret-" not in str(path.relative_to(tmp_path))
        assert path.is_dir() or b"secret-" not in path.read_bytes()


def test_off_means_off(tmp_path, monkeypatch):
    """Nothing is written and nothing is read."""
    monkeypatch.setenv("VL_CACHE", str(tmp_path))
    for _ in range(2):
        assert not Star(OpenMined()).align(IDS, "bank").cached
    assert not list(tmp_path.iterdir())


def test_the_folder_follows_the_environment(tmp_path, monkeypatch):
    """`VL_CACHE`, for machines whose home is small or shared."""
    monkeypatch.setenv("VL_CACHE", str(tmp_path / "here"))
    Star(OpenMined(), cache=True).align(IDS, "bank")
    assert (tmp_path / "here" / "alignments").is_dir()


def test_a_folder_that_cannot_be_written_is_no_reason_to_stop(tmp_path, caplog):
    """A warning that says what to do, and the result."""
    (tmp_path / "file").write_text("")
    found = Star(OpenMined(), cache=True, cache_folder=str(tmp_path / "file")).align(IDS, "bank")
    assert len(found) == 2 and "cannot be used" in caplog.text


def test_an_error_is_not_kept(align):
    """Nothing in common: the next run asks again."""
    for _ in range(2):
        with pytest.raises(ValueError, match="No entity is common"):
            align({"bank": ["a"], "shop": ["b"]})


def job(folder, drawn, ids, into):
    """Align as one job of a sweep does."""
    torch.set_num_threads(1)
    found = Star(Counted(drawn), cache=True, cache_folder=str(folder)).align(ids, "bank")
    into.put((found.cached, found.positions["shop"].tolist()))


def test_of_four_processes_one_computes_and_three_wait(tmp_path):
    """All at once on the same ids: one draws keys, all get the same rows."""
    spawn = multiprocessing.get_context("spawn")
    ids = {"bank": list(range(2000)), "shop": list(range(1000, 3000))[::-1]}
    into, drawn = spawn.Queue(), tmp_path / "drawn"
    jobs = [spawn.Process(target=job, args=(tmp_path / "cache", drawn, ids, into)) for _ in range(4)]
    for one in jobs:
        one.start()
    found = [into.get(timeout=120) for _ in jobs]
    for one in jobs:
        one.join()
    assert sorted(cached for cached, _ in found) == [False, True, True, True]
    assert all(rows == found[0][1] for _, rows in found)
    assert drawn.read_text().count("key") == 4  # the client's, the server's, and theirs of the proof


def test_a_secret_that_a_crash_left_empty_is_drawn_again(align, tmp_path):
    """Under an empty key, names would be plain hashes of lists of ids."""
    align()
    for path in (tmp_path / "cache").rglob("secrets/*"):
        path.write_bytes(b"")
    assert align()[1]
    assert all(path.stat().st_size == 32 for path in (tmp_path / "cache").rglob("secrets/*"))
