"""Files of a run that are damaged at random are noticed or harmless, and a repair keeps what is intact."""

import importlib.util
import random
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from command_line import tabbench as command

import tabbench
from tabbench.core.errors import BadData
from tabbench.store.database import Store
from tabbench.store.repair import repair

TOOL = Path(__file__).parents[2] / "tools" / "mutate_run.py"
MUTATIONS, AT_ONCE = 200, 50


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("mutate_run", TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def rows():
    random = np.random.default_rng(0)
    length = random.normal(size=60)
    return pd.DataFrame({"length": length, "width": random.normal(size=60), "kind": np.where(length > 0.3, "rose", "tulip")})


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A finished run; nobody writes into it."""
    folder = tmp_path_factory.mktemp("damage") / "run"
    tabbench.compare(rows(), "kind", approaches="linear", effort=0.02, folds=2, repeats=1, sizes="20,full", executor="in-process",
                     quiet=True, out=folder)
    return folder


@pytest.fixture
def copied(run, tmp_path):
    return shutil.copytree(run, tmp_path / "run")


@pytest.mark.parametrize("first", range(0, MUTATIONS, AT_ONCE))
def test_mutations_are_noticed_or_harmless_and_a_repair_invents_nothing(tool, run, tmp_path, first):
    before, found = tool.evidence(run), set()
    for number in range(first, first + AT_ONCE):
        folder = shutil.copytree(run, tmp_path / str(number))
        kind = tool.damage(folder, random.Random(number))
        outcome = tool.outcome(folder, kind, before, tool.evidence)
        assert outcome.islower(), (number, kind, outcome)
        found.add(outcome)
    assert found == {"harmless", "detected", "repaired"}


def test_a_damaged_result_is_named_with_its_cure_which_runs_just_that_cell_again(run, copied):
    with closing(sqlite3.connect(copied / "run.db")) as connection, connection:
        connection.execute("UPDATE result SET body = substr(body, 2) WHERE rowid = 2")
    told = command("report", copied)
    assert told.exit_code == 1 and f"tabbench resume {copied} --repair" in told.stderr and "--fresh" not in told.stderr
    done = command("resume", copied, "--repair")
    assert done.exit_code == 0 and "7 results are intact" in done.stderr and "7 of 8 cells were done before" in done.stderr
    with Store.reading(run) as old, Store.reading(copied) as new:
        assert old.finished() == new.finished()
        assert all(old.result(key).predictions.tobytes() == new.result(key).predictions.tobytes() for key in old.finished())
    assert command("verify", copied, "--cells", "0").exit_code == 0


def test_properties_of_a_run_that_are_damaged_come_back_from_their_copy(copied):
    with Store.reading(copied) as store:
        planned = store.recall("planned")
    with closing(sqlite3.connect(copied / "run.db")) as connection, connection:
        connection.execute("DELETE FROM meta WHERE name IN ('planned', 'identity')")
    with pytest.raises(BadData, match="properties are gone"), Store.reading(copied) as store:
        store.recall("planned")
    assert repair(copied) == 8
    with Store.reading(copied) as store:
        assert store.recall("planned") == planned


def test_what_is_intact_is_left_as_it_is_by_a_repair(copied):
    before = (copied / "run.db").read_bytes()
    assert repair(copied) == 8
    with Store.reading(copied) as store:
        assert len(store.finished()) == 8
    assert len((copied / "run.db").read_bytes()) == len(before)


@pytest.mark.parametrize("content", [b"", b"SQLite format 3\0", b"x" * 8192])
def test_what_cannot_be_repaired_is_said_to_be_started_over(copied, content):
    (copied / "run.db").write_bytes(content)
    done = command("resume", copied, "--repair")
    assert done.exit_code == 1 and "cannot be repaired" in done.stderr and "--fresh" in done.stderr


def test_tables_whose_names_are_no_text_are_damage(copied):
    content = (copied / "run.db").read_bytes()
    (copied / "run.db").write_bytes(content.replace(b"CREATE TABLE seal", b"CREATE TABLE s\xeaal"))
    with pytest.raises(BadData, match="is damaged"):
        Store(copied)
    with pytest.raises(BadData, match="cannot be repaired"):
        repair(copied)


def test_a_damaged_table_is_written_again_by_the_same_call(copied):
    content = (copied / "table.arrow").read_bytes()
    (copied / "table.arrow").write_bytes(content[:-700] + b"\1" + content[-699:])
    with pytest.raises(BadData, match=r"table\.arrow is not as it was written.*same call of tabbench compare"):
        tabbench.reopen(copied)
    tabbench.compare(rows(), "kind", approaches="linear", effort=0.02, folds=2, repeats=1, sizes="20,full", executor="in-process",
                     quiet=True, out=copied)
    assert (copied / "table.arrow").read_bytes() == content


def test_reading_a_run_writes_nothing_into_its_folder(copied, tmp_path):
    def state():
        return {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in sorted(copied.rglob("*"))}

    before = state()
    for arguments in (["report", copied], ["verify", copied, "--cells", "0"],
                      ["export", copied, "--approach", "linear", "--out", tmp_path / "model.tabbench"]):
        assert command(*arguments).exit_code == 0
    assert state() == before


def test_a_run_killed_within_a_transaction_is_read_as_it_was_before(run, tmp_path):
    live, killed = shutil.copytree(run, tmp_path / "live"), tmp_path / "killed"
    with closing(sqlite3.connect(live / "run.db", isolation_level=None)) as connection:
        connection.executescript("PRAGMA journal_mode = DELETE; PRAGMA cache_size = 1; BEGIN; DELETE FROM result;")
        connection.execute("INSERT INTO attempt VALUES ('', '', hex(zeroblob(400000)))")  # more than the cache holds
        shutil.copytree(live, killed)
        connection.execute("ROLLBACK")
    assert (killed / "run.db-journal").stat().st_size > 0 and (killed / "run.db").read_bytes() != (run / "run.db").read_bytes()
    before = {path.name: path.read_bytes() for path in killed.glob("run.db*")}
    with Store.reading(killed) as store, Store.reading(run) as whole:
        assert store.finished() == whole.finished() and store.recall("timing") == whole.recall("timing")
    assert {path.name: path.read_bytes() for path in killed.glob("run.db*")} == before
    assert command("report", killed).exit_code == 0
