"""What holds for every executor: the same numbers, every result reported once, calls that say how they ended."""

import sys
import time
from contextlib import contextmanager
from functools import cache

import cloudpickle
import numpy as np
import pytest
from simulated import Noted
from sklearn.dummy import DummyClassifier

from tabbench.core.approach import APPROACHES, Workload
from tabbench.core.cell import Batch, Cell
from tabbench.core.executor import EXECUTORS, Needs
from tabbench.execution.schedule import Schedule
from tabbench.store.database import Store
from tabbench.store.folder import RunFolder
from tabbench.store.setups import save_setup

CALLED = """
from tabbench.core.errors import BadOption


def note(folder, text):
    (folder / "noted").write_text(text)


def refuse(folder):
    raise BadOption("there is nothing to do; give more")
"""


WORK = dict(APPROACHES.get("linear").settings(Workload(0.1, rows=60, columns=4, classes=2)))


class Hopeless(DummyClassifier):
    def fit(self, X, y, sample_weight=None):
        raise ValueError("never")


@contextmanager
def declared(path, setup):
    """A run's store with its setup, and a batch of four cells for each split."""
    def cells(split):
        for name in ("dummy", "linear", "hopeless", "other"):
            yield Cell(setup.table.fingerprint, "k", setup.splits_digest, name, 1,
                       WORK if name in ("linear", "other") else {}, 60, split.repeat, split.fold, 0, "cpu")

    with RunFolder.open(path) as folder, Store(folder.path) as store:
        save_setup(setup, folder.path)
        batches = [Batch(tuple(cells(split))) for split in setup.splits.splits]
        store.declare(batches)
        yield store, batches


@pytest.fixture
def place(tmp_path, small_setup):
    with declared(tmp_path / "run", small_setup) as both:
        yield both


cloudpickle.register_pickle_by_value(sys.modules[__name__])  # workers can't import tests
NEEDS = Needs({"linear": ("sklearn.linear_model",)}, {"hopeless": cloudpickle.dumps(Hopeless())}, {"other": "linear"})


@pytest.fixture(scope="module")
def ran(tmp_path_factory, small_setup):
    """A function of an executor's name: what it reported of all cells, and their results in the store, by approach and fold."""
    @cache
    def run(name):
        with declared(tmp_path_factory.mktemp("ran") / name, small_setup) as (store, batches):
            noted = Noted()
            with EXECUTORS.get(name).make(store, jobs=1, needs=NEEDS) as executor:
                executor.open_setup()
                executor.run(Schedule(batches, jobs=1), noted)
            cells = [cell for batch in batches for cell in batch.cells]
            assert store.finished() == {cell.key for cell in cells}
            return noted.keys, {(cell.approach, cell.fold): store.result(cell.key) for cell in cells}

    return run


@pytest.mark.parametrize("name", EXECUTORS.names())
def test_runs_everything_and_reports_it_once(ran, name):
    reported, results = ran(name)
    assert sorted(reported) == sorted(result.key for result in results.values())
    for fold in (0, 1):
        assert {approach: result.status for (approach, where), result in results.items() if where == fold} == {
            "dummy": "ok", "linear": "ok", "other": "ok", "hopeless": "failed"}
        assert "never" in results["hopeless", fold].reason
        # The same approach by another name; a seed belongs to the name, and this one draws nothing.
        np.testing.assert_array_equal(results["linear", fold].predictions, results["other", fold].predictions)


def test_predictions_are_the_same_everywhere(ran):
    first, *others = [ran(name)[1]["linear", 0].predictions for name in EXECUTORS.names()]
    assert others and all(np.array_equal(first, other) for other in others)


@pytest.mark.parametrize("name", EXECUTORS.names())
def test_stops_when_asked_to_and_keeps_what_is_done(place, name):
    store, batches = place
    noted = Noted()
    with EXECUTORS.get(name).make(store, jobs=1, needs=NEEDS) as executor:
        executor.open_setup()
        executor.run(Schedule(batches, jobs=1), noted, is_stopped=lambda: len(noted.keys) >= 2)
    assert 2 <= len(noted.keys) < sum(len(batch.cells) for batch in batches) and store.finished() == set(noted.keys)


@pytest.mark.parametrize("name", EXECUTORS.names())
def test_leaves_out_what_does_not_load(place, name):
    store, batches = place
    schedule = Schedule(batches[:1], jobs=1)
    needs = Needs({"linear": ("tabbench_has_no_such_module",)}, NEEDS.own, NEEDS.aliases)
    with EXECUTORS.get(name).make(store, jobs=1, needs=needs) as executor:
        getattr(executor, "wait_until_warm", lambda: None)()
        executor.open_setup()
        executor.run(schedule, Noted())
    [skip] = schedule.skips
    assert skip.approach == "linear" and "tabbench_has_no_such_module" in skip.reason


@pytest.mark.parametrize("name", EXECUTORS.names())
def test_a_call_says_how_it_ended(place, name, tmp_path, monkeypatch):
    store, _ = place
    (tmp_path / "called_by_contract.py").write_text(CALLED)
    monkeypatch.syspath_prepend(tmp_path)
    with EXECUTORS.get(name).make(store, jobs=1, needs=Needs()) as executor:
        executor.call("called_by_contract:note", {"text": "seen"})
        assert executor.await_call(time.monotonic() + 60) == ""
        executor.call("called_by_contract:refuse", {})
        assert executor.await_call(time.monotonic() + 60) == "there is nothing to do; give more"
        executor.end_call()
        assert not executor.is_cuda_available() and executor.starting_seconds(2.0) >= 0.0
    assert (store.folder / "noted").read_text() == "seen"
