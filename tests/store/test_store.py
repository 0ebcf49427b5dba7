"""The store keeps what was committed, refuses what is not whole, and guards its folder."""

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabbench.core.cell import Batch, Cell, Result
from tabbench.core.errors import BadData, BadOption
from tabbench.core.files import write_atomically
from tabbench.core.finding import Incident
from tabbench.store.database import LARGEST_INLINE_BYTES, Store
from tabbench.store.folder import RunFolder, require_run
from tabbench.store.spool import DamagedSpool, encode, result_from, spool, unpack


def cell(approach="linear", size=100, fold=0):
    return Cell(table="t", task="k", splits="s", approach=approach, version=1, settings={"C": [1.0]}, size=size, repeat=0,
                fold=fold, run_seed=0, device="cpu")


def result_of(cell, predictions=None, **values):
    return Result(cell.key, "ok", predictions=predictions, tuned={"C": 1.0}, fit_seconds=0.5, predict_seconds=0.1,
                  peak_mb=100.0, **values)


@pytest.fixture
def folder(tmp_path):
    with RunFolder.open(tmp_path / "run") as opened:
        opened.keep()
        yield opened.path


def test_the_key_of_a_known_cell_never_changes():
    # A changed key means that every stored run is run again: raise PROTOCOL_NUMBER on purpose, never by accident.
    assert cell().key == "d01a45df5472d7c3850c2d8d6d840436"
    assert cell().key != cell(fold=1).key
    assert cell().seed == int(cell().key[:8], 16)


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=0, max_size=20))
def test_a_spooled_result_comes_back_bit_for_bit(numbers):
    predictions = np.array(numbers, dtype=np.float32)
    incident = Incident("c", "w", "e", "d", "a", "o")
    before = result_of(cell(), predictions, incidents=(incident,))
    after = result_from(*unpack(encode(before)))
    assert after.predictions.tobytes() == predictions.tobytes()
    assert (after.key, after.status, after.tuned, after.incidents) == (before.key, "ok", {"C": 1.0}, (incident,))


@given(st.data())
def test_any_changed_byte_or_cut_of_a_spooled_result_is_noticed(data):
    content = encode(result_of(cell(), np.linspace(0, 1, 50, dtype=np.float32)))
    place = data.draw(st.integers(0, len(content) - 1))
    changed = content[:place] + bytes([content[place] ^ data.draw(st.integers(1, 255))]) + content[place + 1:]
    for damaged in (changed, content[:place]):
        with pytest.raises(DamagedSpool):
            unpack(damaged)


def test_results_are_kept_small_inside_and_large_beside(folder):
    small, large = cell(fold=0), cell(fold=1)
    rng = np.random.default_rng(0)
    wide = rng.random((20_000, 3), dtype=np.float32)
    with Store(folder) as store:
        store.declare([Batch((small, large))])
        store.put([result_of(small, rng.random(5, dtype=np.float32)), result_of(large, wide)])
    files = list((folder / "predictions").iterdir())
    assert len(files) == 1 and files[0].stat().st_size > LARGEST_INLINE_BYTES
    with Store(folder) as store:
        assert store.finished() == {small.key, large.key}
        assert np.array_equal(store.result(large.key).predictions, wide)
        files[0].write_bytes(files[0].read_bytes()[:-1])
        with pytest.raises(BadData, match=r"are changed or gone.*--repair"):
            store.result(large.key)


def test_a_result_is_never_replaced(folder):
    one = cell()
    with Store(folder) as store:
        store.declare([Batch((one,))])
        store.put([result_of(one, np.zeros(3, dtype=np.float32))])
        store.put([Result(one.key, "crashed", "later")])
        assert store.result(one.key).status == "ok"


def test_spooled_results_are_adopted_once_and_strangers_are_thrown_away(folder):
    known, stranger = cell(), cell("unknown")
    with Store(folder) as store:
        store.declare([Batch((known,))])
        spool(result_of(known, np.ones(2, dtype=np.float32)), folder / "spool")
        spool(result_of(stranger), folder / "spool")
        (folder / "spool" / "half.result").write_bytes(b"{")
        (folder / "spool" / "x.result.1.tmp").write_bytes(b"")
        assert [result.key for result in store.adopt_spooled()] == [known.key]
        assert not list((folder / "spool").iterdir())
        assert store.adopt_spooled() == []
        assert store.finished() == {known.key}


def test_what_was_acknowledged_survives_a_kill(folder):
    script = """
import os, signal, sys
from pathlib import Path
from tabbench.core.cell import Batch, Cell, Result
from tabbench.store.database import Store
store = Store(Path(sys.argv[1]))
for fold in range(1000):
    cell = Cell("t", "k", "s", "linear", 1, {}, 100, 0, fold, 0, "cpu")
    store.declare([Batch((cell,))])
    store.put([Result(cell.key, "ok")])
    print(cell.key, flush=True)
    if fold == 37:
        os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", script, str(folder)], capture_output=True, text=True, check=False)
    acknowledged = done.stdout.split()
    assert done.returncode == -9 and len(acknowledged) == 38
    with Store(folder) as store:
        assert set(acknowledged) <= store.finished()


def test_results_that_come_fast_are_synced_a_little_later(folder, tmp_path):
    def on_disk():
        """What is in the file itself, without its write-ahead log, as all that is synced may be."""
        shutil.copy(folder / "run.db", tmp_path / "run.db")
        with closing(sqlite3.connect(tmp_path / "run.db")) as connection:
            return {row[0] for row in connection.execute("SELECT key FROM result")}

    cells = [cell(fold=fold) for fold in range(3)]
    with Store(folder) as store:
        store.declare([Batch(tuple(cells))])
        for each in cells:
            spool(result_of(each), folder / "spool")
            store.adopt_spooled([each.key])
        assert store._is_unsynced and on_disk() == set()
        store.sync()
        assert not store._is_unsynced and on_disk() == {each.key for each in cells}


def test_a_full_disk_is_an_error_and_loses_nothing(folder):
    kept = cell()
    with Store(folder) as store:
        store.declare([Batch((kept,))])
        store.put([result_of(kept)])
        store._connection.execute("PRAGMA max_page_count = 20")  # SQLite's own way of running into the end of the disk
        with pytest.raises(BadOption, match=r"full.*nothing finished is lost"):
            for fold in range(1, 500):
                more = cell(fold=fold)
                store.declare([Batch((more,))])
                store.put([Result(more.key, "failed", "x" * 2000)])
        assert kept.key in store.finished()
    with Store(folder) as store:
        assert store.result(kept.key).fit_seconds == 0.5


def test_only_one_process_owns_a_run(folder):
    with pytest.raises(BadOption, match="another tabbench is working in"):
        RunFolder.open(folder)


def test_a_folder_with_something_else_is_refused(tmp_path):
    (tmp_path / "thesis.tex").write_text("precious")
    with pytest.raises(BadOption, match=r"holds something else \(thesis.tex\); choose another one with out"):
        RunFolder.open(tmp_path, is_fresh=True)
    assert (tmp_path / "thesis.tex").read_text() == "precious"
    file = tmp_path / "file"
    file.write_text("x")
    with pytest.raises(BadOption, match="is a file, not a folder"):
        RunFolder.open(file)


def test_a_run_that_never_began_leaves_nothing_behind(tmp_path):
    with RunFolder.open(tmp_path / "new"):
        pass
    assert not (tmp_path / "new").exists()
    (tmp_path / "empty").mkdir()
    with RunFolder.open(tmp_path / "empty"):
        pass
    assert list((tmp_path / "empty").iterdir()) == []


@pytest.fixture
def old_run(tmp_path):
    path = tmp_path / "old"
    with RunFolder.open(path) as opened:
        opened.keep()
        Store(path).close()
        (path / "report.md").write_text("precious")
    return path


def test_fresh_replaces_a_run_once_the_new_one_is_kept(old_run):
    with RunFolder.open(old_run, is_fresh=True) as opened:
        assert not (old_run / "run.db").exists()
        opened.keep()
    assert not (old_run / "report.md").exists() and not (old_run / ".tabbench-previous").exists()


def test_fresh_gives_the_old_run_back_when_the_new_one_never_began(old_run):
    with pytest.raises(RuntimeError), RunFolder.open(old_run, is_fresh=True):
        Store(old_run).close()
        raise RuntimeError("a mistake in the new command")
    assert (old_run / "report.md").read_text() == "precious"
    assert (old_run / "run.db").exists() and not (old_run / ".tabbench-previous").exists()


def test_a_run_put_aside_by_a_killed_call_comes_back(old_run):
    script = ("import os, sys; from pathlib import Path; from tabbench.store.folder import RunFolder; "
              "RunFolder.open(Path(sys.argv[1]), is_fresh=True); os._exit(9)")
    assert subprocess.run([sys.executable, "-c", script, str(old_run)], check=False).returncode == 9
    assert not (old_run / "run.db").exists()
    with RunFolder.open(old_run):
        assert (old_run / "run.db").exists()
    assert (old_run / "report.md").read_text() == "precious"


@pytest.mark.parametrize("names", [["predictions", "report.md"], ["run.db"], ["x.tmp"]])
def test_files_of_the_same_names_but_of_someone_else_are_left_alone(tmp_path, names):
    for name in names:
        (tmp_path / name).write_text("mine")
    with pytest.raises(BadOption, match="holds something else"):
        RunFolder.open(tmp_path, is_fresh=True)
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(BadOption, match="holds something else"):
        RunFolder.open(tmp_path / "link")
    assert all((tmp_path / name).read_text() == "mine" for name in names)


def test_an_accident_is_replaced_by_a_later_result_and_anything_else_is_not(folder):
    one = cell()
    with Store(folder) as store:
        store.declare([Batch((one,))])
        store.put([Result(one.key, "crashed", "a kill")])
        assert store.finished() == {one.key} and store.settled() == set()
        store.put([result_of(one)])
        assert store.settled() == {one.key} and store.result(one.key).status == "ok"


@pytest.mark.parametrize("make", [lambda path: None, lambda path: path.mkdir()])
def test_what_is_no_run_is_named(tmp_path, make):
    make(tmp_path / "x")
    with pytest.raises(BadOption, match=r"no such run folder|is not a run folder"):
        require_run(tmp_path / "x")


@pytest.mark.parametrize("content", [b"not a database, but long enough" * 20, b"SQLite format 3\0" + b"\0" * 200])
def test_a_damaged_store_is_a_sentence(tmp_path, content):
    (tmp_path / "run.db").write_bytes(content)
    with pytest.raises(BadData, match=r"is damaged.*--repair"):
        Store(tmp_path)


def test_a_newer_store_is_refused(folder):
    Store(folder).close()
    connection = sqlite3.connect(folder / "run.db")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(BadData, match="newer tabbench"):
        Store(folder)


def test_an_atomic_write_replaces_the_file_or_keeps_it_and_leaves_nothing_else(tmp_path):
    path = tmp_path / "result.json"
    path.write_text("old")
    write_atomically(path, b"new")
    assert path.read_text() == "new"
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="folder"):
        write_atomically(tmp_path / "folder", b"cannot replace a folder")
    with pytest.raises(TypeError):
        write_atomically(path, {"not": "bytes"})
    assert path.read_text() == "new"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["folder", "result.json"]
