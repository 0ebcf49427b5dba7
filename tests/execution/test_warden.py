"""Whatever an own estimator does to its process, the others' cells stay as they are, and nothing that it started is left."""

import os
import subprocess
import sys
from types import SimpleNamespace

import cloudpickle
import numpy as np
import psutil
import pytest
from misbehaving import Misbehaving
from simulated import Noted

from tabbench.core.cell import Batch, Cell
from tabbench.core.executor import Needs
from tabbench.execution.local import LocalExecutor
from tabbench.execution.schedule import Schedule
from tabbench.execution.worker import MOST_LOG_BYTES, Worker

cloudpickle.register_pickle_by_value(sys.modules[__name__])
SLEEPER = "86399.25"


class ForksAndRecurses(Misbehaving):
    def misbehave(self):
        os.fork()  # and returns twice

    def predict_proba(self, X):
        sys.setrecursionlimit(300_000)
        return self.predict_proba(X)


class ClearsEverything(Misbehaving):
    def misbehave(self):
        os.environ.clear()
        sys.path.clear()
        np.mean = np.asarray = None
        subprocess.Popen(["sleep", SLEEPER], start_new_session=True)  # and outlives its session


def own_cells(setup, names):
    return [Cell(setup.table.fingerprint, "k", setup.splits_digest, name, 1, {}, 60, split.repeat, split.fold, 0, "cpu")
            for split in setup.splits.splits for name in names]


def test_foreign_code_reaches_nobody_elses_cells(store, small_setup):
    own = {each.__name__: each() for each in (ForksAndRecurses, ClearsEverything)}
    cells = [cell for cell in own_cells(small_setup, [*own, "dummy"]) if cell.fold == 0 or cell.approach == "dummy"]
    batches = [Batch((cell,)) for cell in cells]
    store.declare(batches)
    noted = Noted()
    with LocalExecutor(store, jobs=1, needs=Needs(own={name: cloudpickle.dumps(each) for name, each in own.items()})) as executor:
        executor.run(Schedule(batches, jobs=1), noted)
        assert len([worker for worker in executor._workers if worker.owner is None]) == 1
    assert sorted(noted.keys) == sorted(cell.key for cell in cells)
    results = {(cell.approach, cell.fold): store.result(cell.key) for cell in cells}
    assert [results["dummy", fold].status for fold in (0, 1)] == ["ok", "ok"]
    assert "RecursionError" in results["ForksAndRecurses", 0].reason
    assert not [each for each in psutil.process_iter(["cmdline"]) if SLEEPER in (each.info["cmdline"] or ())]


def test_a_long_log_keeps_its_head_and_its_end(tmp_path):
    log = tmp_path / "log"
    log.write_bytes(b"first words" + bytes(3 * MOST_LOG_BYTES) + b"last words")
    Worker.shorten_log(SimpleNamespace(log=log))
    text = log.read_bytes()
    assert text.startswith(b"first words") and text.endswith(b"last words") and b"bytes left out" in text
    assert len(text) < MOST_LOG_BYTES


@pytest.mark.parametrize(("was_killed", "words"), [(True, "killed from outside before their first cell"), (False, "torn")])
def test_workers_that_die_before_their_first_cell_are_told_apart(store, was_killed, words):
    executor = LocalExecutor(store, jobs=1, needs=Needs())
    told = executor._why_no_worker_lives(SimpleNamespace(was_killed=was_killed, last_words=lambda: "torn"), "SIGKILL")
    assert words in told and (f"tabbench resume {store.folder}" in told) == was_killed
