"""A forked process begins and ends as one that was started by itself, and its server is nobody's burden."""

import json
import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from tabbench.core.executor import Needs
from tabbench.execution import processes
from tabbench.execution.local import LocalExecutor
from tabbench.execution.processes import Server, start_process, start_server
from tabbench.execution.worker import end_group

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="workers are forked on Linux only")


@pytest.fixture
def log(tmp_path):
    with open(tmp_path / "log", "wb") as file:
        yield file


def begun(folder, log):
    pids = []
    process = start_process(folder, log, 1, pids.append)
    process.stdin.write(b'{"do": "warm", "modules": [], "are_imported_first": false, "ask_cuda": false}\n')
    process.stdin.flush()
    assert b'"warm": true' in process.stdout.readline()
    assert pids == [process.pid]
    return process


def closed(process):
    process.stdin.close()
    process.stdout.close()


def test_it_tells_how_it_has_ended(tmp_path, log):
    process = begun(tmp_path, log)
    assert process.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.01)
    process.stdin.write(b'{"do": "stop"}\n')
    process.stdin.flush()
    assert process.wait(30) == process.poll() == 0
    closed(process)


def test_it_ends_when_its_orders_end_and_when_it_is_told(tmp_path, log):
    first, second = begun(tmp_path, log), begun(tmp_path, log)
    first.stdin.close()
    second.terminate()
    assert {first.wait(30), second.wait(30)} <= {-signal.SIGTERM, -signal.SIGKILL}
    assert not any(map(psutil.pid_exists, (first.pid, second.pid)))
    closed(first)
    closed(second)


def test_a_server_ends_what_has_not_begun_when_it_begins_and_all_others_with_itself(tmp_path, log, monkeypatch):
    server, pids = Server(1), []
    unwanted = server.start(tmp_path, log, 1, pids.append)
    unwanted.terminate()
    assert unwanted.wait(0) == -signal.SIGTERM  # at once, while the server imports
    later = server.start(tmp_path, log, 1, pids.append)
    later.stdin.write(b'{"do": "warm", "modules": [], "are_imported_first": false, "ask_cuda": false}\n')
    later.stdin.flush()
    assert b'"warm": true' in later.stdout.readline()
    server.end()
    assert later.wait(30) == -signal.SIGKILL
    psutil.wait_procs([psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)], timeout=30)
    assert len(pids) == 2 and not any(map(psutil.pid_exists, pids))
    monkeypatch.setattr(processes, "_SERVERS", {(os.getpid(), 1, *processes._settings()): server})
    other = start_server()
    assert other is not server and start_server() is other
    other.end()
    for process in (unwanted, later):
        closed(process)


LEAVING = """
import subprocess
def leave_a_sleeper(folder, name):
    sleeper = subprocess.Popen(["sleep", "86399.5"], start_new_session=True)
    (folder / name).write_text(str(sleeper.pid))
"""


def test_what_a_worker_has_started_ends_although_its_server_is_killed(tmp_path, log, monkeypatch):
    (tmp_path / "leaving.py").write_text(LEAVING)
    monkeypatch.syspath_prepend(tmp_path)
    process = begun(tmp_path, log)
    process.stdin.write(b'{"do": "call", "function": "leaving:leave_a_sleeper", "values": {"name": "pid"}}\n')
    process.stdin.flush()
    assert process.stdout.readline() == b'{"called": ""}\n'
    sleeper = int((tmp_path / "pid").read_text())
    assert psutil.pid_exists(sleeper)
    os.kill(start_server()._process.pid, signal.SIGKILL)
    process.wait(30)
    end_group(process.pid)  # as a supervisor does at once
    assert not psutil.pid_exists(sleeper)
    closed(process)


WHERE = """
import os
PLACE = os.getpid()
def note_where_this_was_imported(folder):
    (folder / "place").write_text(str(PLACE))
"""


def test_a_server_imports_what_it_is_told_ahead_before_it_is_asked(tmp_path, log, monkeypatch):
    (tmp_path / "where.py").write_text(WHERE)
    monkeypatch.syspath_prepend(tmp_path)
    server = Server(1, ahead=["no_such_module", "where"])
    process = server.start(tmp_path, log, 1, lambda pid: None)
    process.stdin.write(b'{"do": "call", "function": "where:note_where_this_was_imported", "values": {}}\n')
    process.stdin.flush()
    assert process.stdout.readline() == b'{"called": ""}\n'
    assert int((tmp_path / "place").read_text()) == server._process.pid
    server.end()
    closed(process)


def test_a_server_that_cannot_import_says_why_in_the_worker_s_log(tmp_path, log, monkeypatch):
    (tmp_path / "numpy.py").write_text("raise OSError('torn numpy')")
    monkeypatch.syspath_prepend(tmp_path)
    server = Server(1)
    process = server.start(tmp_path, log, 1, lambda pid: None)
    assert process.wait(60) == 1
    assert "OSError: torn numpy" in (tmp_path / "log").read_text()
    server.end()
    closed(process)


def test_settings_that_a_process_cannot_change_later_take_another_server(monkeypatch):
    first = start_server()
    before = os.umask(0o027)
    try:
        other = start_server()
    finally:
        os.umask(before)
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    third = start_server()
    monkeypatch.undo()
    assert start_server() is first and len({first, other, third}) == 3
    other.end()
    third.end()


NOTING = """
import json, os, sys
import numpy as np

def note(folder, name):
    noted = (os.environ.get("NOTED"), os.getcwd(), sys.path[0], os.environ["OMP_NUM_THREADS"], np.random.random())
    (folder / name).write_text(json.dumps(noted))
"""


def test_it_finds_what_a_new_interpreter_would_find_and_draws_other_numbers(store, tmp_path, monkeypatch):
    (tmp_path / "noting.py").write_text(NOTING)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NOTED", "now")
    for name in ("first", "second"):
        with LocalExecutor(store, jobs=1, needs=Needs()) as executor:
            executor.call("noting:note", {"name": name})
            assert executor.await_call(float("inf")) == ""
    first, second = (json.loads((store.folder / name).read_text()) for name in ("first", "second"))
    assert first[:4] == second[:4] == ["now", str(tmp_path), str(tmp_path), "1"]
    assert first[4] != second[4]


@pytest.mark.parametrize("copy", ["", "os.fork() or (os.close(1), time.sleep(20), os._exit(0)); "])
def test_the_server_ends_with_its_supervisor_and_does_not_wait_for_copies_of_it(tmp_path, copy):
    script = ("import os, sys, time; from tabbench.execution.processes import start_server; "
              f"print(start_server()._process.pid, flush=True); {copy}os.kill(os.getpid(), 9)")
    began = time.monotonic()
    said = subprocess.run([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, env=os.environ, check=False).stdout
    psutil.wait_procs([psutil.Process(int(said))] if psutil.pid_exists(int(said)) else [], timeout=60)
    assert not psutil.pid_exists(int(said)) and (not copy or time.monotonic() - began < 20)
