"""The grid of sizes: known numbers, sensible ends, and plain refusals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabbench.core.errors import BadData, BadOption
from tabbench.core.split import Split, SplitPlan
from tabbench.core.task import Task
from tabbench.splitting.sizes import size_grid

BINARY = Task("binary", ("no", "yes"), "log_loss", ("log_loss",))
REGRESSION = Task("regression", (), "rmse", ("rmse",))


def plan_of(rows, folds=5, unit=None, seed=0):
    """Plain random folds; sizes must not rely on stratification."""
    rng = np.random.default_rng(seed)
    parts = np.array_split(rng.permutation(rows), folds)
    splits = tuple(Split(0, fold, rng.permutation(np.setdiff1d(np.arange(rows), part)), np.sort(part))
                   for fold, part in enumerate(parts))
    return SplitPlan("stratified", splits, folds, 1, min(len(each.train) for each in splits),
                     np.arange(rows) if unit is None else unit)


@pytest.mark.parametrize(("rows", "sizes"), [
    (30, (24,)), (70, (31, 56)), (178, (31, 62, 142)), (1_000, (31, 62, 125, 250, 500, 800)),
    (9_228, (31, 62, 125, 250, 500, 1_000, 2_000, 4_000, 7_382)),
])
def test_the_ladder_for_regression(rows, sizes):
    assert size_grid(plan_of(rows), np.zeros(rows), REGRESSION) == sizes


@settings(max_examples=30, deadline=None)
@given(st.integers(80, 3_000), st.integers(2, 8), st.floats(0.05, 0.5), st.integers(0, 99))
def test_automatic_sizes_ascend_to_the_full_one_and_hold_both_classes(rows, folds, share, seed):
    target = (np.arange(rows) < max(20, share * rows)).astype(int)
    plan = plan_of(rows, folds, seed=seed)
    sizes = size_grid(plan, target, BINARY)
    assert list(sizes) == sorted(set(sizes)) and sizes[-1] == plan.full_size
    assert all(31 <= size <= rows / 2 for size in sizes[:-1])
    for each in plan.splits:
        assert np.bincount(target[each.train[: sizes[0]]], minlength=2).min() >= 2
    half = sizes[0] // 2
    if len(sizes) > 1 and half >= 31:
        counts = [np.bincount(target[each.train[:half]], minlength=2).min() for each in plan.splits]
        assert min(counts) < 2, "the grid starts as low as it may"


def test_many_classes_start_at_ten_rows_each():
    target = np.arange(4_000) % 26
    task = Task("multiclass", tuple(map(str, range(26))), "log_loss", ("log_loss",))
    assert size_grid(plan_of(4_000), target, task)[0] == 500  # 260 is above 250


def test_a_rare_class_does_not_hold_up_the_curve():
    target = np.arange(10_000) % 2
    target[:12] = 2
    task = Task("multiclass", ("a", "b", "c"), "log_loss", ("log_loss",))
    assert size_grid(plan_of(10_000), target, task)[0] == 31
    half_rare = (np.arange(10_000) < 200).astype(int)
    assert 62 <= size_grid(plan_of(10_000), half_rare, BINARY)[0] <= 500  # but both classes of a binary task must be there


def test_a_class_that_is_old_in_time_does_not_hold_up_the_curve():
    target = np.arange(2_000) % 3
    target[500:][target[500:] == 2] = 0
    train = np.arange(1_600)[::-1]
    plan = SplitPlan("ordered", (Split(0, 0, train, np.arange(1_600, 2_000)),), 1, 1, 1_600, np.arange(2_000))
    task = Task("multiclass", ("a", "b", "c"), "log_loss", ("log_loss",))
    assert size_grid(plan, target, task) == (31, 62, 125, 250, 500, 1_600)


def test_grouped_sizes_hold_four_groups():
    group = np.arange(2_000) // 50
    train = np.arange(1_600)  # whole groups, one after the other
    plan = SplitPlan("grouped", (Split(0, 0, train, np.arange(1_600, 2_000)),), 1, 1, 1_600, group)
    assert size_grid(plan, np.zeros(2_000), REGRESSION) == (250, 500, 1_600)


@pytest.mark.parametrize("wanted", ["100, full,50,100", ["full", 50, 100, 400], (np.int64(100), "50", "FULL")])
def test_wanted_sizes(wanted):
    assert size_grid(plan_of(500), np.zeros(500), REGRESSION, wanted) == (50, 100, 400)


@pytest.mark.parametrize(("wanted", "words"), [
    ("500", "sizes=500 is above the full size, the 400 rows"), ("5", "choose at least 10"), ("ten", "'ten'"), ("", "holds ''"),
    ([50.5], "50.5"), ([True], "True"), ([], "names no size"), ("auto,50", "'auto'"), ("-50", "'-50'"), ("1e3", "'1e3'"),
])
def test_bad_sizes_are_refused(wanted, words):
    with pytest.raises(BadOption, match=words):
        size_grid(plan_of(500), np.zeros(500), REGRESSION, wanted)


def test_a_size_whose_prefix_holds_one_class_is_refused():
    target = (np.arange(500) < 20).astype(int)
    plan = plan_of(500)
    with pytest.raises(BadOption, match=r"two rows of two classes in every split, are needed; choose at least \d+") as caught:
        size_grid(plan, target, BINARY, "20")
    least = int(str(caught.value).split()[-1])
    assert size_grid(plan, target, BINARY, str(least)) == (least,)
    with pytest.raises(BadOption):
        size_grid(plan, target, BINARY, [least - 1])


def test_a_training_part_without_a_second_class_is_refused():
    target = np.zeros(100, dtype=int)
    target[0] = 1
    with pytest.raises(BadData, match="second class"):
        size_grid(plan_of(100), target, BINARY)
