"""A forked process begins and ends as one that was started by itself, and its server is nobody's burden."""

import json
import os
import signal
import subprocess
import sys

import psutil
import pytest

from tabbench.core.executor import Needs
from tabbench.execution import processes
from tabbench.execution.local import LocalExecutor
from tabbench.execution.processes import Server, start_process, start_server

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
    monkeypatch.setattr(processes, "_SERVERS", {(os.getpid(), 1): server})
    other = start_server()
    assert other is not server and start_server() is other
    other.end()
    for process in (unwanted, later):
        closed(process)


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


def test_the_server_ends_with_its_supervisor(tmp_path):
    script = ("import os, sys; from tabbench.execution.processes import start_server; "
              "print(start_server()._process.pid, flush=True); os.kill(os.getpid(), 9)")
    said = subprocess.run([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, env=os.environ, check=False).stdout
    psutil.wait_procs([psutil.Process(int(said))] if psutil.pid_exists(int(said)) else [], timeout=60)
    assert not psutil.pid_exists(int(said))
