"""A run's folder has one owner, keeps the files of others, and whatever happens to a process, holds a whole run."""

import os
import subprocess
import sys
import time

import pytest
from interrupted import killed_at

from tabbench.core.errors import BadOption
from tabbench.store.database import Store
from tabbench.store.folder import RunFolder, require_run

NOT_OURS = (".DS_Store", ".gitignore", "notes.txt", "predictions.csv", "model.tabbench", "previous")


def begin(path, which, *, is_fresh=False):
    with RunFolder.open(path, is_fresh=is_fresh) as folder:
        with Store(path) as store:
            store.remember(which=which)
        (path / "table.arrow").write_text(which)
        folder.keep()
        (path / "result.json").write_text(which)
        (path / "winner").mkdir(exist_ok=True)
        (path / "winner" / "model.json").write_text(which)


def what_is_there(path):
    """The run in a folder, by its parts; those that are written last may be absent."""
    with Store.reading(require_run(path)) as store:
        found = {store.recall("which"), (path / "table.arrow").read_text()}
    late = [path / "result.json", path / "winner" / "model.json"]
    return found, {each.read_text() for each in late if each.exists()}


@pytest.fixture
def old(tmp_path):
    begin(tmp_path / "run", "old")
    for name in NOT_OURS:
        (tmp_path / "run" / name).write_text("mine")
    return tmp_path / "run"


def test_starting_over_killed_at_any_call_leaves_the_old_run_or_the_new_one_whole(old):
    seen, call = set(), 0
    while True:
        with killed_at(call) as died:
            begin(old, "new", is_fresh=True)
        with killed_at(call // 2):  # another process that is killed while it brings the run back
            require_run(old)
        early, late = what_is_there(old)
        seen |= early
        assert len(early) == 1 and late <= early and (early == {"new"} or late == early), (call, early, late)
        assert all((old / name).read_text() == "mine" for name in NOT_OURS)
        if not died:
            break
        begin(old, "old", is_fresh=True)
        call += 1
    assert seen == {"old", "new"} and call > 20
    assert not [each.name for each in old.iterdir() if each.name.startswith(".tabbench")]


def test_a_full_disk_at_the_first_new_file_leaves_the_old_run(old, monkeypatch):
    make = os.mkdir

    def full(path, *arguments):
        if os.path.basename(path) == "spool":
            raise OSError(28, "No space left on device")
        make(path, *arguments)

    monkeypatch.setattr(os, "mkdir", full)
    with pytest.raises(BadOption, match="No space left on device; nothing finished is lost"):
        begin(old, "new", is_fresh=True)
    assert what_is_there(old) == ({"old"}, {"old"})


def test_files_of_others_beside_a_run_block_nothing_and_stay(old):
    begin(old, "new", is_fresh=True)
    with RunFolder.open(old):
        pass
    assert what_is_there(old) == ({"new"}, {"new"})
    assert all((old / name).read_text() == "mine" for name in NOT_OURS)


def test_a_folder_with_hidden_files_alone_is_an_empty_one(tmp_path):
    (tmp_path / ".DS_Store").write_text("mine")
    with RunFolder.open(tmp_path):
        pass
    assert [each.name for each in tmp_path.iterdir()] == [".DS_Store"]


@pytest.mark.parametrize("header", [b"x" * 100, b""])
def test_a_run_whose_store_is_destroyed_is_not_lost_by_opening_it_and_can_be_started_over(old, header):
    content = (old / "run.db").read_bytes()
    (old / "run.db").write_bytes(header + content[100:] if header else b"")
    with RunFolder.open(require_run(old)):
        pass
    assert (old / "table.arrow").read_text() == "old"
    begin(old, "new", is_fresh=True)
    assert what_is_there(old) == ({"new"}, {"new"})


def test_what_was_being_written_when_a_process_was_killed_is_removed(old):
    (old / "result.json.17.tmp").write_text("{")
    (old / "own.tmp").write_text("mine")
    (old / "run.db.a1b2.tmp").mkdir()  # as of a repair
    (old / "run.db.a1b2.tmp" / "run.db").write_text("")
    with RunFolder.open(old):
        pass
    assert not (old / "run.db.a1b2.tmp").exists()
    assert not (old / "result.json.17.tmp").exists() and (old / "own.tmp").read_text() == "mine"


RACE = """
import os, sys, time
from pathlib import Path
from tabbench.core.errors import BadOption
from tabbench.store.folder import RunFolder
print(time.time(), flush=True)
begin = float(sys.stdin.readline())
for trial in range(30):
    path = Path(sys.argv[1]) / str(trial)
    time.sleep(max(0.0, begin + 0.02 * trial - time.time()))
    try:
        with RunFolder.open(path):
            owner = path.with_suffix(".owner")
            os.close(os.open(owner, os.O_CREAT | os.O_EXCL))
            owner.unlink()
    except BadOption as refused:
        assert "another tabbench is working" in str(refused)
"""


def test_of_processes_that_open_the_same_new_folder_at_once_one_owns_it_and_none_leaves_a_file(tmp_path):
    racers = [subprocess.Popen([sys.executable, "-c", RACE, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True) for _ in range(3)]
    for racer in racers:
        racer.stdout.readline()
    for racer in racers:
        racer.stdin.write(f"{time.time() + 0.05}\n")
        racer.stdin.flush()
    assert [racer.communicate()[1] for racer in racers] == [""] * 3
    assert not [each for each in tmp_path.rglob("*") if not each.is_dir()]
