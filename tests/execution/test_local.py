"""Children that are killed, hang, eat memory or print cost only their own cells; nothing finished is lost."""

import gc
import math
import os
import queue
import signal
import sys
import threading
import time

import cloudpickle
import numpy as np
import psutil
import pytest
from misbehaving import Misbehaving
from simulated import Noted

from tabbench.comparison.plan import choose_contestants, plan_batches
from tabbench.core.cell import Batch, Cell
from tabbench.core.errors import BadOption, TabbenchError
from tabbench.core.executor import Needs
from tabbench.costs.cost_model import CostModel
from tabbench.costs.forecast import Prices
from tabbench.costs.prior import CellCost, Expected
from tabbench.execution import processes
from tabbench.execution.local import LocalExecutor
from tabbench.execution.schedule import Schedule
from tabbench.execution.worker import Worker
from tabbench.options import Options
from tabbench.store.database import Store
from tabbench.store.folder import RunFolder
from tabbench.store.setups import save_setup

cloudpickle.register_pickle_by_value(sys.modules[__name__])


class Prior(Misbehaving):
    def misbehave(self):
        print("noise on standard output must not reach the supervisor", flush=True)


class Killed(Prior):
    def misbehave(self):
        os.kill(os.getpid(), signal.SIGKILL)


class KilledOnce(Prior):
    def __init__(self, flag=""):
        self.flag = flag

    def misbehave(self):
        if not os.path.exists(self.flag):
            open(self.flag, "w").close()
            os.kill(os.getpid(), signal.SIGKILL)


class Hanging(Prior):
    def misbehave(self):
        time.sleep(600)


class Hungry(Prior):
    def misbehave(self):
        self.eaten = np.ones(900_000_000 // 8)
        time.sleep(600)


class Raising(Prior):
    def misbehave(self):
        raise ValueError("three\nlines\nof trouble")


class NotFinite(Prior):
    def predict_proba(self, X):
        return np.full((len(X), 2), np.nan)


class OutOfMemory(Prior):
    def misbehave(self):
        raise MemoryError


class Unsendable(Prior):
    def __setstate__(self, state):
        raise RuntimeError("I don't travel")


class Forking(Prior):
    """Leaves a process behind that keeps the child's standard output open, and dies."""

    def __init__(self, note=""):
        self.note = note

    def misbehave(self):
        if (left := os.fork()) == 0:
            time.sleep(600)
        with open(self.note, "a") as note:
            note.write(f"{left}\n")
        os.kill(os.getpid(), signal.SIGKILL)


def cells_of(setup, names, size=60):
    return [Cell(setup.table.fingerprint, "k", setup.splits_digest, name, 1, {}, size, split.repeat, split.fold, 0, "cpu")
            for split in setup.splits.splits for name in names]


def run(store, setup, estimators, *, jobs=1, folds=1, batches=None, seconds=None, costs=None, **limits):
    cells = cells_of(setup, ["dummy", *estimators])
    batches = batches or [Batch((cell,)) for cell in cells if cell.fold < folds]
    store.declare(batches)
    own = {name: cloudpickle.dumps(each) for name, each in estimators.items()}
    noted = Noted()
    with LocalExecutor(store, jobs=jobs, needs=Needs(own=own), **limits) as executor:
        executor.wait_until_warm()
        deadline = None if seconds is None else time.monotonic() + seconds
        schedule = Schedule(batches, jobs=jobs, deadline=deadline, costs=costs)
        executor.run(schedule, noted)
    results = {(cell.approach, cell.fold): store.result(cell.key) for batch in batches for cell in batch.cells}
    assert len(noted.keys) == len(set(noted.keys)) == sum(result is not None for result in results.values())
    return results, schedule


def statuses(results, approach):
    return [result.status for (name, _), result in sorted(results.items()) if name == approach and result is not None]


def test_a_child_that_is_killed_costs_only_its_own_cells(store, small_setup):
    results, _ = run(store, small_setup, {"good": Prior(), "killed": Killed()}, jobs=2, folds=2)
    assert statuses(results, "dummy") == statuses(results, "good") == ["ok"] * 2
    assert statuses(results, "killed") == ["crashed"] * 2
    assert "SIGKILL" in results["killed", 0].reason
    assert len(store.attempts()) == 4  # each was tried once more, on its own


@pytest.mark.slow
def test_a_kill_in_a_batch_keeps_what_was_finished_and_tries_the_rest_alone(store, small_setup):
    cells = cells_of(small_setup, ["good", "killed", "later"])
    batches = [Batch(tuple(cell for cell in cells if cell.fold == 0))]
    results, _ = run(store, small_setup, {"good": Prior(), "killed": Killed(), "later": Prior()}, batches=batches)
    assert statuses(results, "good") == statuses(results, "later") == ["ok"]
    assert statuses(results, "killed") == ["crashed"]


@pytest.mark.slow
def test_a_cell_whose_child_was_killed_once_succeeds_at_its_second_try(store, small_setup, tmp_path):
    results, _ = run(store, small_setup, {"unlucky": KilledOnce(str(tmp_path / "flag"))})
    assert statuses(results, "unlucky") == ["ok"]
    assert len(store.attempts()) == 1


def test_a_hanging_cell_is_ended(store, small_setup):
    # On a busy machine the constant predictor may take longer than half a second as well, so it is expected to.
    results, _ = run(store, small_setup, {"hanging": Hanging()}, costs=needing({}, {"dummy": 30.0, "hanging": 0.001}),
                     shortest_hang_seconds=0.5)
    assert statuses(results, "hanging") == ["timed_out"]
    assert statuses(results, "dummy") == ["ok"]


@pytest.mark.slow
def test_a_cell_that_eats_the_memory_is_ended_and_named(store, small_setup):
    limit = psutil.Process().memory_info().rss + 700e6
    results, _ = run(store, small_setup, {"hungry": Hungry()}, memory_limit_bytes=limit)
    assert statuses(results, "hungry") == ["out_of_memory"]
    assert "--memory-limit" in results["hungry", 0].reason
    assert statuses(results, "dummy") == ["ok"]


def test_an_exception_and_a_wrong_prediction_are_rows_with_a_reason(store, small_setup):
    results, _ = run(store, small_setup, {"raising": Raising(), "nan": NotFinite()})
    assert results["raising", 0].status == results["nan", 0].status == "failed"
    assert results["raising", 0].reason == "ValueError: three lines of trouble"
    assert "not finite" in results["nan", 0].reason
    assert store.attempts() == []  # an exception would come again: no second try


def test_a_memory_error_gets_one_more_try_alone(store, small_setup):
    results, _ = run(store, small_setup, {"greedy": OutOfMemory()})
    assert statuses(results, "greedy") == ["out_of_memory"]
    assert len(store.attempts()) == 2


def test_an_estimator_that_cannot_be_unpickled_is_a_failed_row(store, small_setup):
    results, _ = run(store, small_setup, {"homely": Unsendable()})
    assert statuses(results, "homely") == ["failed"] and statuses(results, "dummy") == ["ok"]
    assert "I don't travel" in results["homely", 0].reason


@pytest.mark.slow
def test_a_death_is_seen_although_a_grandchild_lives(store, small_setup, tmp_path):
    results, _ = run(store, small_setup, {"forking": Forking(str(tmp_path / "left"))})
    assert statuses(results, "forking") == ["crashed"]
    left = [int(pid) for pid in (tmp_path / "left").read_text().split()]
    assert len(left) == 2 and not any(map(psutil.pid_exists, left))  # it had two tries


def test_children_that_die_before_every_cell_end_the_run_with_their_last_words(store, small_setup):
    (store.folder / "splits.npz").unlink()
    with pytest.raises(TabbenchError, match=r"workers die before their first cell.*damaged or gone"):
        run(store, small_setup, {"good": Prior()}, folds=2)


def test_a_library_that_does_not_load_is_named_as_pip_calls_it(store):
    executor = LocalExecutor(store, jobs=1, needs=Needs({"linear": ("sklearn.linear_model",)}))
    executor.broken = {"sklearn.linear_model": "ImportError: torn"}
    assert executor._broken_approaches() == {"linear": "sklearn.linear_model does not load (ImportError: torn); reinstall it: "
                                                       "pip install --force-reinstall scikit-learn"}


@pytest.mark.parametrize("names", [["linear", "dummy"], ["dummy", "linear"]], ids=["at once", "after a cell"])
def test_what_does_not_load_costs_only_the_approaches_that_need_it(store, small_setup, tmp_path, monkeypatch, names):
    (tmp_path / "torn.py").write_text("raise OSError('no such library')")
    monkeypatch.syspath_prepend(tmp_path)
    batches = [Batch(tuple(cell for cell in cells_of(small_setup, names) if cell.fold == fold)) for fold in (0, 1)]
    store.declare(batches)
    schedule, noted = Schedule(batches, jobs=1), Noted()
    with LocalExecutor(store, jobs=1, needs=Needs({"linear": ("torn",)})) as executor:
        executor.run(schedule, noted)
    assert sorted(noted.keys) == sorted(cell.key for batch in batches for cell in batch.cells if cell.approach == "dummy")
    [skip] = schedule.skips
    assert skip.approach == "linear" and "torn does not load (OSError: no such library)" in skip.reason


def test_under_a_time_limit_the_first_worker_does_not_wait_for_what_takes_longest_to_import(store, small_setup, monkeypatch):
    monkeypatch.setattr(processes, "LONGEST_TO_IMPORT", "lightgbm")
    monkeypatch.setattr(processes, "_USED", set())
    modules = {"linear": ("scipy.linalg",), "boosting": ("scipy.linalg", "lightgbm")}
    batches = [Batch((cell,)) for cell in cells_of(small_setup, ["linear"])]
    store.declare(batches)
    noted = Noted()
    with LocalExecutor(store, jobs=2, needs=Needs(modules, are_imported_first=True)) as executor:
        executor.wait_until_warm(2)
        early, later = executor._workers
        assert (early.loaded, later.loaded) == ({"scipy.linalg"}, {"scipy.linalg", "lightgbm"})
        assert (executor._unready(early), executor._unready(later)) == ({"boosting"}, set())
        executor.run(Schedule(batches, jobs=2), noted)
        assert early.process.poll() is not None, "a fork of what has imported all takes its place"
        assert later in executor._workers and len(executor._workers) == 2
    assert sorted(noted.keys) == sorted(cell.key for batch in batches for cell in batch.cells)


@pytest.mark.parametrize(("jobs", "limit"), [(1, None), (2, 64e9)])
def test_a_worker_that_none_follows_or_that_is_measured_imports_all_before_its_first_cell(store, monkeypatch, jobs, limit):
    monkeypatch.setattr(processes, "LONGEST_TO_IMPORT", "lightgbm")
    needs = Needs({"boosting": ("lightgbm",)}, are_imported_first=True)
    with LocalExecutor(store, jobs=jobs, needs=needs, memory_limit_bytes=limit) as executor:
        executor.wait_until_warm()
        assert [worker.loaded for worker in executor._workers] == [{"lightgbm"}] * jobs
        assert [executor._unready(worker) for worker in executor._workers] == [set()] * jobs


def test_importing_counts_as_no_cells_time(store, tmp_path):
    worker = Worker(0, store.folder, queue.Queue(), threads=1)
    worker.run(Batch(()), store.folder, {"mlp": ["torch"]}, 1)
    worker.cell_started = -math.inf
    assert worker.note_loaded({"torch"}) and worker.loaded == {"torch"}
    assert worker.cell_started > -math.inf
    worker.kill()


def test_an_impossible_memory_limit_is_refused(store, small_setup):
    with pytest.raises(BadOption, match=r"memory_limit.*100 MB"):
        run(store, small_setup, {}, memory_limit_bytes=100e6)


@pytest.mark.parametrize("limit", [None, 64e9])
def test_under_a_memory_limit_a_worker_has_all_that_its_cells_need_before_it_is_measured(store, limit):
    with LocalExecutor(store, jobs=1, needs=Needs({"boosting": ("lightgbm",)}), memory_limit_bytes=limit) as executor:
        executor.wait_until_warm(1)
        assert [worker.loaded for worker in executor._workers] == [set() if limit is None else {"lightgbm"}]


@pytest.mark.slow
def test_worker_count_never_changes_a_number(store, small_setup, tmp_path):
    first, _ = run(store, small_setup, {"good": Prior()}, folds=2)
    with RunFolder.open(tmp_path / "other") as folder, Store(folder.path) as other:
        folder.keep()
        save_setup(small_setup, folder.path)
        second, _ = run(other, small_setup, {"good": Prior()}, jobs=2, folds=2)
    assert all(first[place].predictions.tobytes() == second[place].predictions.tobytes() for place in first)


def test_under_a_deadline_an_own_estimator_that_hangs_costs_the_others_a_share_of_it_once(store, small_setup):
    results, schedule = run(store, small_setup, {"hanging": Hanging()}, seconds=10, folds=2)
    assert statuses(results, "dummy") == ["ok"] * 2 and statuses(results, "hanging") == ["timed_out"] * 2
    assert "so that the others get theirs" in results["hanging", 1].reason and len(store.attempts()) == 1
    assert schedule.waiting == []


def test_a_deadline_keeps_what_is_finished_and_leaves_the_rest(store, small_setup):
    results, schedule = run(store, small_setup, {"hanging": Hanging()}, seconds=2, jobs=2)
    assert statuses(results, "dummy") == ["ok"] and statuses(results, "hanging") == []
    assert schedule.waiting == []


# The interrupt may come while psutil reads a file of /proc, which is then closed by the garbage collection alone.
@pytest.mark.filterwarnings("ignore:.*/proc/:pytest.PytestUnraisableExceptionWarning")
def test_children_end_with_the_executor_also_when_it_is_interrupted(store, small_setup):
    def interrupt():
        while not any(worker.batch for worker in executor._workers):
            time.sleep(0.05)
        pids.extend(worker.process.pid for worker in executor._workers if worker.is_warm)
        signal.raise_signal(signal.SIGINT)

    cells = cells_of(small_setup, ["hanging"])
    store.declare([Batch((cell,)) for cell in cells])
    own = {"hanging": cloudpickle.dumps(Hanging())}
    executor, pids = LocalExecutor(store, jobs=2, needs=Needs(own=own)), []
    with pytest.raises(KeyboardInterrupt), executor:
        threading.Thread(target=interrupt).start()
        executor.run(Schedule([Batch((cell,)) for cell in cells], jobs=2), Noted())
    assert pids and not any(map(psutil.pid_exists, pids))
    assert store.children() == []
    gc.collect()


def needing(work_mb, seconds=None):
    """A cost model that expects so many megabytes and seconds of an approach's cells, else one."""
    return CostModel(Prices(lambda approach, size: CellCost(
        Expected((seconds or {}).get(approach, 1.0), 0.1), Expected(work_mb.get(approach, 1.0), 0.1), "measured")))


class Remembering(Prior):
    """Notes when it began and ended."""

    def __init__(self, path=""):
        self.path = path

    def misbehave(self):
        with open(self.path, "a") as file:
            file.write("begin\n")
        time.sleep(0.4)
        with open(self.path, "a") as file:
            file.write("end\n")


@pytest.mark.slow
def test_what_does_not_fit_beside_the_others_waits(store, small_setup, tmp_path):
    both = {"first": Remembering(str(tmp_path / "seen")), "second": Remembering(str(tmp_path / "seen"))}
    one_fold = [Batch((cell,)) for cell in cells_of(small_setup, both) if cell.fold == 0]
    results, schedule = run(store, small_setup, both, jobs=2, batches=one_fold, memory_limit_bytes=3_000_000_000,
                            costs=needing({"first": 1_500, "second": 1_500}))
    assert {result.status for result in results.values()} == {"ok"} and schedule.skips == []
    assert (tmp_path / "seen").read_text().split() == ["begin", "end"] * 2


def test_what_can_never_fit_is_skipped_and_says_how_much_it_needs(store, small_setup):
    results, schedule = run(store, small_setup, {"vast": Prior(), "good": Prior()}, jobs=2, costs=needing({"vast": 9_600}),
                            memory_limit_bytes=2_000_000_000)
    assert statuses(results, "vast") == [] and statuses(results, "good") == ["ok"]
    [skip] = schedule.skips
    assert (skip.approach, skip.size) == ("vast", 60)
    assert "it would have needed about 10 GB; --memory-limit is 2.0 GB" in skip.reason and "lower --jobs" in skip.reason


def test_peaks_teach_what_a_cell_needs(store, small_setup):
    costs = needing({"good": 5_000})
    run(store, small_setup, {"good": Prior()}, costs=costs)
    [cell] = [each for each in cells_of(small_setup, ["good"]) if each.fold == 0]
    assert costs.base_mb > 50
    assert costs.cell_peak_mb(cell).median < costs.base_mb + 5_000


def test_fits_that_go_on_side_by_side_teach_what_each_of_them_takes(store, small_setup):
    contestants = choose_contestants(Options(approaches="xgboost,lightgbm,boosting", effort=1.0).checked())
    batches = plan_batches(small_setup, contestants, [60], effort=1.0, device="cpu", left_out=())
    [batch] = [batch for batch in batches if len(batch.cells) == 3 and batch.cells[0].fold == 0]
    # Next to nothing is expected, so that what is learnt is what the results say, however fast the machine is.
    costs = CostModel(Prices(lambda approach, size: CellCost(Expected(60.0, 30.0), Expected(1.0, 0.1), "measured")))
    results, _ = run(store, small_setup, {}, batches=[batch], costs=costs, jobs=2)
    for cell in batch.cells[:2]:
        took = results[cell.approach, 0].fit_seconds + results[cell.approach, 0].predict_seconds
        assert took / 2 < costs.alone(cell) < 2 * took
