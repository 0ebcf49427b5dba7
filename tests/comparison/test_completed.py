"""Of a run that was ended early, as much is judged as belongs together."""

from dataclasses import replace

import numpy as np
import pytest

from tabbench.comparison.completed import complete_pairs, completed
from tabbench.comparison.run import Entry, Run
from tabbench.core.cell import Cell
from tabbench.core.setup import Setup
from tabbench.core.split import Split, SplitPlan

FAMILIES = {"dummy": "baseline", "linear": "linear", "boosting": "trees", "mlp": "net", "mine": "own"}
SIZES = (50, 100, 400)


def run_of(names=("dummy", "linear", "boosting", "mlp"), folds=5, repeats=2, kind="stratified"):
    splits = tuple(Split(repeat, fold, np.arange(400), np.arange(400, 500)) for repeat in range(repeats) for fold in range(folds))
    plan = SplitPlan(kind, splits, folds, repeats, 400, np.arange(500))
    setup = Setup(None, None, np.zeros(500), plan, "s", 0)
    cells = [Cell("t", "k", "s", name, 1, {}, size, *split.name, 0, "cpu")
             for size in SIZES for split in splits for name in names]
    entries = tuple(Entry(name, FAMILIES[name], 1, 0, True, {}) for name in names)
    return Run(setup, entries, SIZES, 0.3, None, cells)


def finished(run, wanted):
    """The keys of the cells that `wanted(approach, size, number of the split)` says have a result."""
    number = {split.name: place for place, split in enumerate(run.setup.splits.by_importance)}
    return {cell.key for cell in run.planned if wanted(cell.approach, cell.size, number[cell.repeat, cell.fold])}


def judged(run, wanted):
    done = finished(run, wanted)
    part = completed(run, done)
    return len(part.setup.splits.splits), complete_pairs(part, done)


def all_of(names, sizes):
    return {(name, size) for name in names for size in sizes}


NAMES = ("dummy", "linear", "boosting", "mlp")


def test_a_complete_run_and_one_of_which_nothing_was_run_stay_as_they_are():
    run = run_of()
    assert completed(run, finished(run, lambda *place: True)) is run
    assert completed(run, set()) is run


def test_a_repeat_that_is_not_complete_is_left_out():
    splits, pairs = judged(run_of(), lambda name, size, split: split < 5 or (size == 400 and split < 8))
    assert splits == 5 and pairs == all_of(NAMES, SIZES)


def test_part_of_a_further_repeat_does_not_count():
    assert judged(run_of(repeats=3), lambda name, size, split: split < 13)[0] == 10


def test_more_folds_are_worth_more_than_more_sizes():
    splits, pairs = judged(run_of(), lambda name, size, split: split < (5 if size == 400 else 3))
    assert splits == 5 and pairs == all_of(NAMES, [400])


def test_more_sizes_are_worth_more_than_another_repeat():
    splits, pairs = judged(run_of(), lambda name, size, split: split < (10 if size == 400 else 5))
    assert splits == 5 and pairs == all_of(NAMES, SIZES)


@pytest.mark.parametrize("count", [1, 2, 4])
def test_every_family_at_the_largest_size_is_worth_more_than_folds(count):
    splits, pairs = judged(run_of(), lambda name, size, split: size == 400 and split < (count if name == "mlp" else 5))
    assert splits == count and pairs == all_of(NAMES, [400])


def test_a_second_member_of_a_family_that_is_behind_costs_no_folds():
    run = run_of(("dummy", "linear", "boosting", "mlp"))
    run = replace(run, entries=tuple(replace(entry, family="trees") if entry.name == "mlp" else entry for entry in run.entries))
    splits, pairs = judged(run, lambda name, size, split: size == 400 and split < (1 if name == "mlp" else 5))
    assert splits == 5 and pairs == all_of(["dummy", "linear", "boosting"], [400])


@pytest.mark.parametrize(("behind", "ahead"), [(1, 2), (3, 5), (5, 10)])
def test_an_approach_that_is_behind_by_no_more_than_half_of_the_splits_is_not_lost(behind, ahead):
    run = run_of()
    run = replace(run, entries=tuple(replace(entry, family="trees") if entry.name == "mlp" else entry for entry in run.entries))
    splits, pairs = judged(run, lambda name, size, split: size == 400 and split < (behind if name == "mlp" else ahead))
    assert splits == behind and pairs == all_of(NAMES, [400])


def test_splits_are_counted_from_the_first_without_a_gap_and_forward_in_time_from_the_last_cut():
    assert judged(run_of(), lambda name, size, split: size == 400 and split in (0, 1, 3))[0] == 2
    run = run_of(kind="ordered", repeats=1)
    part = completed(run, finished(run, lambda name, size, split: size == 400 and split < 2))
    assert [split.fold for split in part.setup.splits.splits] == [3, 4]
    assert {cell.fold for cell in part.planned} == {3, 4} and part.setup.splits.full_size == 400
