"""Who is named while a run goes on: the first look's leaders of families first, then the planned cells'."""

from dataclasses import replace

import numpy as np
import pytest

from tabbench.comparison.progress import Clock, Watch
from tabbench.comparison.run import Entry, Run
from tabbench.core.cell import Batch, Cell, Result
from tabbench.core.progress import Provisional
from tabbench.core.task import Task
from tabbench.costs.cost_model import CostModel
from tabbench.store.database import Store
from tabbench.store.folder import RunFolder

FAMILIES = {"dummy": "baseline", "linear": "linear", "linear+pca": "linear", "boosting": "trees", "mlp": "net"}
REPRESENTATIVES = ("linear", "boosting", "mlp")
LARGEST = 60


class Told:
    """A watch, and a short way to tell it of results that are `share` sure of the truth."""

    def __init__(self, setup, store, *, families=FAMILIES, looks=REPRESENTATIVES, sizes=(30, LARGEST)):
        self.setup, self.store = setup, store
        planned = [self.cell(name, size, fold) for size in reversed(sizes) for fold in range(2) for name in families]
        entries = tuple(Entry(name, family, 1, 1, name in REPRESENTATIVES, {}) for name, family in families.items())
        self.run = Run(setup, entries, sizes, 1.0, None, planned)
        self.looks = {name: self.cell(name, LARGEST, 0, effort=0.1) for name in looks}
        store.declare([Batch((cell,)) for cell in (*planned, *self.looks.values())])
        self.begin()

    def begin(self):
        self.watch = Watch(self.run, self.store, Clock.start(None), CostModel(), [cell.key for cell in self.looks.values()])

    def cell(self, name, size, fold, effort=1.0):
        return Cell("small", "answer", self.setup.splits_digest, name, 1, {"effort": effort}, size, 0, fold, 0, "cpu")

    def result(self, cell, share):
        if share is None:
            return Result(cell.key, "failed", "no luck")
        truth = self.setup.target[self.setup.split(0, cell.fold).test]
        sure = np.where(truth == 1, share, 1 - share)
        return Result(cell.key, "ok", predictions=np.column_stack([1 - sure, sure]).astype(np.float32))

    def look(self, **shares):
        for name, share in shares.items():
            self.watch.learn(self.looks[name], self.result(self.looks[name], share))

    def plan(self, fold=0, size=LARGEST, **shares):
        for name, share in shares.items():
            cell = self.cell(name.replace("_", "+"), size, fold)
            self.watch.learn(cell, self.result(cell, share))

    def provisional(self) -> Provisional:
        return self.watch.snapshot((), None).provisional

    def names(self):
        return [(each.family, each.approach) for each in self.provisional().leaders]


@pytest.fixture
def store(tmp_path):
    with RunFolder.open(tmp_path / "run") as folder, Store(folder.path) as opened:
        folder.keep()
        yield opened


@pytest.fixture
def told(small_setup, store):
    return Told(small_setup, store)


def test_nothing_is_named_before_the_first_result(told):
    assert told.provisional() is None


def test_the_first_look_names_the_families_one_by_one(told):
    told.look(linear=0.6)
    assert told.names() == [("linear", "linear")] and not told.provisional().is_complete
    told.look(boosting=0.8, mlp=0.7)
    shown = told.provisional()
    assert told.names() == [("trees", "boosting"), ("net", "mlp"), ("linear", "linear")]
    assert (shown.size, shown.splits, shown.metric) == (LARGEST, 1, "log_loss")
    assert shown.is_first_look and shown.is_complete
    assert shown.leaders[0].score == pytest.approx(-np.log(0.8), rel=1e-5)


def test_the_first_look_neither_counts_nor_leads_a_size(told):
    told.look(linear=0.6, boosting=None, mlp=0.7)
    progress = told.watch.snapshot((), None)
    assert (progress.done, progress.failed, progress.total, progress.leaders) == (0, 0, 20, {})


def test_what_failed_in_the_first_look_is_absent(told):
    told.look(linear=0.6, boosting=None, mlp=0.7)
    assert told.names() == [("net", "mlp"), ("linear", "linear")] and told.provisional().is_complete


def test_planned_results_take_over_when_all_families_have_one(told):
    told.look(linear=0.6, boosting=0.8, mlp=0.7)
    told.plan(dummy=0.95, linear=0.65, boosting=0.85)
    assert told.provisional().is_first_look
    told.plan(mlp=0.9, linear_pca=0.7)
    shown = told.provisional()
    assert not shown.is_first_look and shown.is_complete and shown.splits == 1
    assert told.names() == [("net", "mlp"), ("trees", "boosting"), ("linear", "linear+pca")]


def test_the_mean_over_the_splits_decides_and_the_fewest_splits_are_named(told):
    told.look(linear=0.6, boosting=0.8, mlp=0.7)
    told.plan(linear=0.6, linear_pca=0.7, boosting=0.8, mlp=0.7)
    told.plan(fold=1, linear=0.8, linear_pca=0.5, boosting=0.9)
    shown = told.provisional()
    assert told.names() == [("trees", "boosting"), ("net", "mlp"), ("linear", "linear")] and shown.splits == 1
    assert shown.leaders[0].score == pytest.approx(-np.log([0.8, 0.9]).mean(), rel=1e-5)
    told.plan(fold=1, mlp=0.7)
    assert told.provisional().splits == 2


def test_smaller_sizes_and_a_failed_planned_cell_do_not_disturb(told):
    told.look(linear=0.6, boosting=0.8, mlp=0.7)
    told.plan(size=30, linear=0.99, boosting=0.99, mlp=0.99)
    assert told.provisional().is_first_look
    told.plan(linear=0.6, boosting=0.8, mlp=None)
    assert told.names() == [("trees", "boosting"), ("linear", "linear")]
    assert told.watch.snapshot((), None).failed == 1


def test_a_family_without_a_first_look_joins_when_it_comes(small_setup, store):
    told = Told(small_setup, store, families={**FAMILIES, "blend": "blend", "mine": "own"})
    told.look(linear=0.6, boosting=0.8, mlp=0.7)
    told.plan(linear=0.6, boosting=0.8, mlp=0.7)
    assert not told.provisional().is_first_look
    told.plan(blend=0.9, mine=0.75)
    assert told.names() == [("blend", "blend"), ("trees", "boosting"), ("own", "mine"), ("net", "mlp"), ("linear", "linear")]


@pytest.mark.parametrize("looks", [(), REPRESENTATIVES])
def test_without_a_first_look_planned_results_are_shown_as_they_come(small_setup, store, looks):
    told = Told(small_setup, store, looks=looks)
    told.look(**dict.fromkeys(looks))
    told.plan(dummy=0.5)
    assert told.provisional() is None
    told.plan(linear=0.6, boosting=0.8)
    assert told.names() == [("trees", "boosting"), ("linear", "linear")] and not told.provisional().is_complete
    told.plan(mlp=0.7)
    assert told.provisional().is_complete and not told.provisional().is_first_look


def test_a_continued_run_knows_its_first_look_and_does_not_repeat_the_count(told, store):
    store.put([told.result(told.looks["linear"], 0.6), told.result(told.looks["boosting"], 0.8)])
    cell = told.cell("linear", LARGEST, 0)
    store.put([told.result(cell, 0.6)])
    told.begin()
    assert told.names() == [("trees", "boosting"), ("linear", "linear")] and not told.provisional().is_complete
    assert told.watch.snapshot((), None).done == 1
    told.look(mlp=None)
    assert told.provisional().is_complete


def test_a_first_look_that_crashed_is_not_waited_for_in_the_rest_of_the_run(told, store):
    store.put([told.result(told.looks["linear"], 0.6), told.result(told.looks["boosting"], 0.8),
               Result(told.looks["mlp"].key, "crashed", "no luck")])
    told.begin()
    assert told.names() == [("trees", "boosting"), ("linear", "linear")] and told.provisional().is_complete


def test_a_first_look_that_was_given_up_is_not_waited_for_once_planned_cells_end(told):
    told.look(linear=0.6, boosting=0.8)
    assert not told.provisional().is_complete
    told.plan(dummy=0.5)  # a part of every first look
    assert not told.provisional().is_complete
    told.plan(linear=0.65)
    assert told.provisional().is_first_look and told.provisional().is_complete
    told.plan(boosting=0.85)
    assert not told.provisional().is_first_look and told.provisional().is_complete


def test_scores_have_the_sign_that_people_know(small_setup, store):
    by_auc = replace(small_setup, task=Task("binary", ("no", "yes"), "auc", ("log_loss", "auc")))
    told = Told(by_auc, store)
    told.look(linear=0.6, boosting=0.4, mlp=None)
    assert [(each.approach, each.score) for each in told.provisional().leaders] == [("linear", 1.0), ("boosting", 0.0)]


def test_a_constant_prediction_leads_a_size_only_among_others(told):
    told.plan(dummy=0.9)
    assert told.watch.snapshot((), None).leaders == {}
    told.plan(linear=0.6)
    assert told.watch.snapshot((), None).leaders == {LARGEST: "dummy"}


def test_the_simplest_of_those_about_as_good_as_the_best_leads_once_there_is_a_constant_to_measure_by(told):
    told.run = replace(told.run, entries=tuple(replace(entry, cost_rank=rank) for rank, entry in enumerate(told.run.entries)))
    told.begin()
    told.plan(linear=0.7, linear_pca=0.6)
    assert told.watch.leader is None and told.watch.splits_done == 0
    told.plan(dummy=0.5, boosting=0.8, mlp=0.801)
    assert told.watch.leader == "boosting" and told.watch.splits_done == 1
    told.plan(fold=1, dummy=0.5, boosting=0.7, mlp=0.8, linear=0.7, linear_pca=None)
    assert told.watch.leader == "mlp" and told.watch.splits_done == 2
