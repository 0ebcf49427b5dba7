"""In a race a size is begun only when all smaller ones have ended, and who is stopped leaves it and all larger ones."""

import sys
import time

import cloudpickle
import pytest
from simulated import Noted
from sklearn.dummy import DummyClassifier

from tabbench.core.cell import Batch, Cell
from tabbench.core.executor import Needs
from tabbench.execution.local import LocalExecutor
from tabbench.execution.schedule import Schedule
from tabbench.execution.work import InFlight
from tabbench.store.database import Store
from tabbench.store.folder import RunFolder
from tabbench.store.setups import save_setup

cloudpickle.register_pickle_by_value(sys.modules[__name__])

SIZES = (100, 200, 400)


class Greedy(DummyClassifier):
    """Runs out of memory in every fit, so that each cell is tried again alone."""

    def fit(self, X, y, sample_weight=None):
        raise MemoryError


def cell(approach, size, fold):
    return Cell("t", "k", "s", approach, 1, {}, size, 0, fold, 0, "cpu")


def batches(approaches, sizes=SIZES, folds=3):
    return [Batch((cell(approach, size, fold),)) for size in sizes for fold in range(folds) for approach in approaches]


def race_of(outcome, asked):
    """A race that stops `outcome` (size -> name) before these sizes and notes what it is asked."""

    def stopped_before(size):
        asked.append(size)
        return {name: f"behind before {at}" for at, name in outcome.items() if at <= size}

    return stopped_before


@pytest.mark.parametrize("children", [1, 2, 5])
def test_a_size_waits_for_all_smaller_ones_and_loses_who_is_stopped(children):
    asked, running, ran = [], [], []
    schedule = Schedule(batches(["a", "b", "c"]), jobs=children, race=race_of({200: "c", 400: "b"}, asked))
    while True:
        batch = schedule.next(0.0, [InFlight(each.cells) for each in running]) if len(running) < children else None
        if batch is None and not running:
            break
        if batch is None:
            ran.append(running.pop(0).cells[0])
            continue
        assert all(each.cells[0].size == batch.cells[0].size for each in running)
        running.append(batch)
    assert asked == [100, 200, 400]
    places = [(each.approach, each.size) for each in ran]
    assert {*places} == {("a", 100), ("b", 100), ("c", 100), ("a", 200), ("b", 200), ("a", 400)} and len(places) == 3 * 6
    told = {(skip.approach, skip.size): (skip.reason, skip.kind) for skip in schedule.skips}
    assert told == {("c", 200): ("behind before 200", "race"), ("c", 400): ("behind before 200", "race"),
                    ("b", 400): ("behind before 400", "race")}


def test_it_is_seen_when_what_waits_is_held_back():
    schedule = Schedule(batches(["a"], folds=1), jobs=2, race=race_of({}, []))
    assert not schedule.is_held_back
    first = schedule.next(0.0)
    assert schedule.is_held_back and schedule.next(0.0, [InFlight(first.cells)]) is None
    assert schedule.next(0.0).cells[0].size == 200 and not Schedule(batches(["a"]), jobs=2).is_held_back


def test_what_was_stopped_before_is_all_that_is_missing():
    asked = []
    schedule = Schedule(batches(["b"], sizes=(200, 400)), jobs=2, race=race_of({200: "b"}, asked))
    assert schedule.waiting == [] and schedule.next(0.0) is None
    assert {(skip.approach, skip.size) for skip in schedule.skips} == {("b", 200), ("b", 400)}


def test_who_is_stopped_does_not_come_back_when_there_is_time_after_all():
    asked, now, ran = [], 0.0, []
    schedule = Schedule(batches(["a", "hog"]), jobs=1, deadline=80.0, race=race_of({400: "hog"}, asked))
    while (batch := schedule.next(now)) is not None:
        each = batch.cells[0]
        took = 20.0 if each == cell("hog", 100, 0) else 0.1  # slow once: the larger sizes are given up, then there is time
        now += took
        schedule.costs.learn(each, took, [])
        ran.append((each.approach, each.size))
    assert ("a", 400) in ran and ("hog", 400) not in ran
    assert ("hog", 400) in {(skip.approach, skip.size) for skip in schedule.skips}


@pytest.mark.slow
def test_a_second_try_alone_ends_before_the_next_size_is_begun(tmp_path, small_setup):
    table, splits = small_setup.table.fingerprint, small_setup.splits_digest
    cells = [Cell(table, "k", splits, name, 1, {}, size, split.repeat, split.fold, 0, "cpu")
             for size in (30, 60) for split in small_setup.splits.splits for name in ("dummy", "greedy")]
    finished = {}
    with RunFolder.open(tmp_path / "run") as folder, Store(folder.path) as store:
        folder.keep()
        save_setup(small_setup, folder.path)
        store.declare([Batch((each,)) for each in cells])

        def stopped_before(size):
            finished[size] = store.finished()
            return {"greedy": "hopeless"} if size == 60 else {}

        own = {"greedy": cloudpickle.dumps(Greedy())}
        with LocalExecutor(store, jobs=2, needs=Needs(own=own)) as executor:
            schedule = Schedule([Batch((each,)) for each in cells], jobs=2, race=stopped_before, deadline=time.monotonic() + 120)
            executor.run(schedule, Noted())
        assert finished == {30: set(), 60: {each.key for each in cells if each.size == 30}}
        assert store.finished() == {each.key for each in cells if each.size == 30 or each.approach == "dummy"}
