"""Splits keep their promises whatever the table: disjoint, complete, stratified, whole groups and ties, forward in time."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tabbench.core.errors import BadData, BadOption
from tabbench.core.table import Table
from tabbench.core.task import Task
from tabbench.splitting import splits as splits_module
from tabbench.splitting.splits import default_repeats, make_splits, splits_fingerprint

quick = settings(max_examples=40, deadline=None)


def task_of(n_classes):
    if n_classes == 0:
        return Task("regression", (), "rmse", ("rmse",))
    kind = "binary" if n_classes == 2 else "multiclass"
    return Task(kind, tuple(f"class {code}" for code in range(n_classes)), "log_loss", ("log_loss",))


def table_of(target, **roles):
    rows = len(target)
    roles.setdefault("tie", np.arange(rows, dtype=np.uint64))
    return Table("t", pd.DataFrame(index=range(rows)), (), pd.Series(target), "y", True, np.arange(rows), fingerprint="f",
                 roles={role: role.upper() for role in ("group", "time", "fold") if role in roles}, **roles)


def split(target, n_classes=2, folds=5, repeats=None, seed=0, positions=None, **roles):
    return make_splits(table_of(target, **roles), target, task_of(n_classes), folds=folds, repeats=repeats, seed=seed,
                       positions=positions)


@st.composite
def classified(draw, least=40, most=400):
    """A target with 2 to 6 classes, each of at least ten rows."""
    n_classes = draw(st.integers(2, 6))
    rows = draw(st.integers(max(least, 10 * n_classes), most))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    rest = rng.choice(n_classes, size=rows - 10 * n_classes, p=rng.dirichlet(np.ones(n_classes)))
    return rng.permutation(np.concatenate([np.repeat(np.arange(n_classes), 10), rest])), n_classes, rng


def assert_disjoint_and_complete(plan, rows):
    for repeat in range(plan.repeats):
        parts = [each for each in plan.splits if each.repeat == repeat]
        assert np.array_equal(np.sort(np.concatenate([each.test for each in parts])), np.arange(rows))
    for each in plan.splits:
        assert not set(each.train) & set(each.test)
        assert len(set(each.train)) == len(each.train)
        assert np.all(np.diff(each.test) > 0)


@quick
@given(classified(), st.integers(2, 5), st.integers(0, 99))
def test_stratified_splits_are_disjoint_complete_and_stratified(data, folds, seed):
    target, n_classes, _ = data
    plan, _ = split(target, n_classes, folds, seed=seed)
    assert plan.kind == "stratified" and plan.repeats == 3 and plan.folds == folds
    assert plan.full_size == min(len(each.train) for each in plan.splits)
    assert_disjoint_and_complete(plan, len(target))
    expected = np.bincount(target) / folds
    for each in plan.splits:
        assert np.all(np.abs(np.bincount(target[each.test], minlength=n_classes) - expected) < 1)
        assert abs(len(each.test) - len(target) / folds) < 1


@quick
@given(classified(), st.integers(0, 99))
def test_every_prefix_of_the_training_order_is_stratified(data, seed):
    target, n_classes, _ = data
    plan, _ = split(target, n_classes, seed=seed, repeats=1)
    for each in plan.splits:
        codes = target[each.train]
        seen = np.cumsum(codes[:, None] == np.arange(n_classes), axis=0)
        expected = np.arange(1, len(codes) + 1)[:, None] * (seen[-1] / len(codes))
        # One row for the class's own rounding, and its share of the other classes' roundings.
        assert np.all(np.abs(seen - expected) <= 1 + n_classes * (seen[-1] / len(codes)))


def test_a_regression_target_is_stratified_by_quantiles():
    target = np.random.default_rng(0).lognormal(size=1_000)
    plan, _ = split(target, 0)
    quartile = np.searchsorted(np.quantile(target, [0.25, 0.5, 0.75]), target)
    for each in plan.splits:
        assert np.all(np.abs(np.bincount(quartile[each.test]) - 50) <= 2)
        assert np.all(np.abs(np.bincount(quartile[each.train[:100]]) - 25) <= 5)


def test_a_regression_target_of_few_values_is_split():
    target = np.random.default_rng(0).choice([3.0, 5.0, 6.0], size=300, p=[0.02, 0.08, 0.9])
    plan, _ = split(target, 0)
    assert_disjoint_and_complete(plan, 300)
    assert all((target[each.test] == 3.0).any() for each in plan.splits)


@quick
@given(classified(), st.integers(2, 30), st.integers(2, 5))
def test_groups_are_whole(data, n_groups, folds):
    target, n_classes, rng = data
    group = rng.choice(n_groups, size=len(target), p=rng.dirichlet(np.ones(n_groups)))
    assume(len(set(group)) >= folds)
    try:
        plan, _ = split(target, n_classes, folds, group=group)
    except BadData as error:
        assume("only the class" not in str(error))
        raise
    assert plan.kind == "grouped"
    assert_disjoint_and_complete(plan, len(target))
    for each in plan.splits:
        assert not set(group[each.train]) & set(group[each.test])
        assert len(each.test)
        starts = np.flatnonzero(np.diff(group[each.train]))
        assert len(starts) + 1 == len(set(group[each.train])), "rows of a group stand together in the training order"
    assert all(len(set(group[plan.unit == unit])) == 1 for unit in set(plan.unit))
    assert len(set(plan.unit)) == len(set(group))


def test_groups_are_balanced_and_stratified():
    rng = np.random.default_rng(0)
    group = rng.integers(0, 200, size=2_000)
    target = (rng.random(2_000) < np.where(group < 40, 0.8, 0.1)).astype(int)
    plan, _ = split(target, group=group)
    for each in plan.splits:
        assert abs(len(each.test) - 400) <= 12
        assert abs(target[each.test].mean() - target.mean()) < 0.02
        assert abs(target[each.train[:400]].mean() - target.mean()) < 0.08


def test_many_small_groups_are_dealt_quickly_and_evenly(monkeypatch):
    monkeypatch.setattr("tabbench.splitting.partition.GREEDY_UNITS", 50)
    rng = np.random.default_rng(1)
    group, target = rng.integers(0, 800, size=2_000), rng.integers(0, 2, size=2_000)
    plan, _ = split(target, group=group)
    for each in plan.splits:
        assert not set(group[each.train]) & set(group[each.test])
        assert abs(len(each.test) - 400) <= 15


@quick
@given(classified(least=100), st.integers(2, 5))
def test_equal_rows_stay_in_one_fold(data, folds):
    target, n_classes, rng = data
    tie = rng.integers(0, len(target) // 3, size=len(target)) * n_classes + target  # equal rows have equal targets
    table_tie = tie.astype(np.uint64)
    sizes = np.bincount(tie)
    assume(np.count_nonzero(sizes) >= len(tie) / 10 and sizes.max() <= len(tie) / (2 * folds))
    plan, findings = split(target, n_classes, folds, tie=table_tie)
    assert not findings
    assert_disjoint_and_complete(plan, len(target))
    for each in plan.splits:
        assert not set(tie[each.train]) & set(tie[each.test])


def test_a_row_repeated_too_often_is_split_and_named():
    rng = np.random.default_rng(0)
    target = rng.integers(0, 2, size=500)
    tie = np.arange(500, dtype=np.uint64)
    often = np.flatnonzero(target == 1)[:120]
    tie[often] = tie[often[0]]
    twice = np.flatnonzero(target == 0)[:2]
    tie[twice] = tie[twice[0]]
    plan, findings = split(target, tie=tie)
    assert [finding.code for finding in findings] == ["large-tie-group"]
    assert findings[0].subject == f"row {often[0] + 1}" and "120 times" in findings[0].message
    for each in plan.splits:
        assert 12 <= np.isin(often, each.test).sum() <= 36
        assert np.isin(twice, each.test).sum() in (0, 2)


def test_ties_are_off_with_few_distinct_rows():
    target = np.tile([0, 1], 250)
    plan, findings = split(target, tie=(np.arange(500) % 40).astype(np.uint64))
    assert [finding.code for finding in findings] == ["ties-not-kept"]
    assert "40 of 500" in findings[0].message
    assert_disjoint_and_complete(plan, 500)


@quick
@given(classified(least=60), st.integers(10, 200), st.integers(2, 5))
def test_time_goes_forward_and_equal_times_stay_together(data, n_times, folds):
    target, n_classes, rng = data
    time = rng.integers(0, n_times, size=len(target))
    try:
        plan, _ = split(target, n_classes, folds, time=time)
    except BadData as error:
        assume("cuts" not in str(error) and "only the class" not in str(error))
        raise
    assert plan.kind == "ordered" and plan.repeats == 1 and plan.folds == folds
    for each in plan.splits:
        assert time[each.train].max() < time[each.test].min()
        assert np.all(np.diff(time[each.train]) <= 0), "newest first"
        assert set(each.train) == set(np.flatnonzero(time < time[each.test].min()))
    tests = np.concatenate([each.test for each in plan.splits])
    assert len(set(tests)) == len(tests)


def test_forward_splits_test_the_newer_half():
    time = np.random.default_rng(0).permutation(1_000).astype(float)
    plan, _ = split(np.tile([0, 1], 500), time=time)
    assert [len(each.train) for each in plan.splits] == [500, 600, 700, 800, 900]
    assert plan.full_size == 500
    assert "forward in time" in plan.notes[0]


def test_time_and_groups_leave_tested_groups_out_of_training():
    rng = np.random.default_rng(0)
    group = np.arange(1_000) // 25  # groups begin and end
    time = np.arange(1_000) + rng.integers(0, 40, size=1_000)
    plan, _ = split(rng.integers(0, 2, 1_000), time=time, group=group)
    for each in plan.splits:
        assert not set(group[each.train]) & set(group[each.test])
        assert time[each.train].max() < time[each.test].min()
    with pytest.raises(BadData, match="`GROUP` run through `TIME`"):
        split(rng.integers(0, 2, 1_000), time=time, group=rng.integers(0, 5, 1_000))


def test_too_few_times_are_refused():
    with pytest.raises(BadData, match="`TIME` allows only 1 of 5 cuts"):
        split(np.tile([0, 1], 50), time=np.repeat([2020, 2021], 50))
    with pytest.raises(BadData, match="only 0 of 5"):
        split(np.tile([0, 1], 50), time=np.zeros(100))


@quick
@given(classified(), st.integers(0, 99))
def test_splits_are_a_function_of_table_and_seed(data, seed):
    target, n_classes, _ = data
    first, _ = split(target, n_classes, seed=seed)
    np.random.default_rng().random(3)  # other randomness has no say
    again, _ = split(target.copy(), n_classes, seed=seed)
    other, _ = split(target, n_classes, seed=seed + 1)
    assert splits_fingerprint(first) == splits_fingerprint(again)
    assert splits_fingerprint(first) != splits_fingerprint(other)


def test_repeats_and_folds_have_orders_of_their_own():
    plan, _ = split(np.tile([0, 1], 200))
    tests = {tuple(each.test) for each in plan.splits}
    starts = {tuple(each.train[:20]) for each in plan.splits}
    assert len(tests) == len(starts) == 15
    first, second = plan.splits[0].train[:60], plan.splits[1].train[:60]
    assert len(set(first) & set(second)) < 30, "training sets of two folds are independent draws"


def test_own_folds():
    fold = np.tile([3, 7, 9], 40)
    plan, _ = split(np.repeat([0, 1], 60), fold=fold)
    assert (plan.kind, plan.folds, plan.repeats) == ("fold", 3, 1)
    assert_disjoint_and_complete(plan, 120)
    for each, value in zip(plan.splits, (3, 7, 9), strict=True):
        assert np.all(fold[each.test] == value) and not np.any(fold[each.train] == value)
    with pytest.raises(BadData, match="`FOLD` holds one value only"):
        split(np.repeat([0, 1], 60), fold=np.zeros(120, dtype=int))
    with pytest.raises(BadData, match="120 values"):
        split(np.repeat([0, 1], 60), fold=np.arange(120))


def test_own_test_rows():
    is_test = np.arange(200) >= 150
    target = np.tile([0, 1], 100)
    plan, _ = split(target, test=is_test)
    assert (plan.kind, plan.folds, plan.repeats, plan.full_size) == ("test", 1, 5, 150)
    assert len({tuple(each.train[:30]) for each in plan.splits}) == 5  # trained on other rows below the full size
    assert {tuple(each.test) for each in plan.splits} == {tuple(range(150, 200))}
    assert plan.notes == ("the 50 rows of the test file, 5 trainings",)
    assert split(target, test=is_test, repeats=1)[0].notes == ("the 50 rows of the test file, one training",)
    assert np.array_equal(plan.splits[0].test, np.arange(150, 200))
    assert sorted(plan.splits[0].train) == list(range(150))
    assert abs(target[plan.splits[0].train[:20]].sum() - 10) <= 2
    with pytest.raises(BadData, match="no usable test row"):
        split(target, test=np.zeros(200, dtype=bool))
    with pytest.raises(BadData, match="test part of fold 1 holds only the class 'class 1'"):
        split((~(is_test | (np.arange(200) % 2 == 0))).astype(int) | is_test, test=is_test)


def test_given_positions():
    target = np.tile([0, 1], 50)
    plan, findings = split(target, positions=[(np.arange(80), np.arange(80, 100)), ([0, 1, 2, 3], [9, 8])])
    assert (plan.kind, plan.folds, plan.full_size) == ("given", 2, 4)
    assert sorted(plan.splits[0].train) == list(range(80)) and list(plan.splits[1].test) == [8, 9]
    assert not findings


@pytest.mark.parametrize(("pair", "words"), [
    (([0, 1], [1, 2]), "position 1 is in train and in test"),
    (([0, 100], [1, 2]), "position 100, but the 100 usable rows"),
    (([-1, 0], [1, 2]), "position -1"),
    (([0, 0], [1, 2]), "twice"),
    (([], [1, 2]), "not empty"),
    (([0.5, 1.0], [1, 2]), "whole numbers"),
    (([0, 1],), "is no pair"),
    (([0, 2, 4], [1, 2 + 1, 6]), "training part of fold 1 holds only the class"),
])
def test_bad_positions_are_refused(pair, words):
    with pytest.raises((BadOption, BadData), match=words):
        split(np.tile([0, 1], 50), positions=[pair])
    with pytest.raises(BadOption, match="empty"):
        split(np.tile([0, 1], 50), positions=[])


def test_own_splits_that_leak_are_said():
    fold, group = np.tile([0, 1], 60), np.repeat(np.arange(30), 4)
    tie = np.arange(120, dtype=np.uint64)
    tie[1] = tie[0]
    _, findings = split(np.repeat([0, 1], 60), fold=fold, group=group, tie=tie)
    assert {finding.code: finding.message.split()[0] for finding in findings} == {
        "group-on-both-sides": "120", "tie-on-both-sides": "2"}


def test_a_class_that_a_test_part_lacks_is_said():
    target = np.where(np.arange(90) % 3 == 0, 0, 1)
    target[np.arange(90) < 5] = 2
    _, findings = split(target, 3, fold=np.repeat([0, 1, 2], 30))
    assert [(finding.code, finding.subject) for finding in findings] == [("class-missing-in-test", "class 2")]
    assert findings[0].message == "classes are missing from some of the 3 test parts: 'class 2' from 2"


@pytest.mark.parametrize(("options", "words"), [
    ({"folds": 1}, "folds=1"), ({"folds": 51}, "between 2 and 50"), ({"repeats": 0}, "repeats=0"),
    ({"repeats": 2, "time": np.arange(100)}, "leave repeats out"), ({"repeats": 2, "fold": np.arange(100) % 4}, "your own"),
])
def test_bad_options_are_refused(options, words):
    with pytest.raises(BadOption, match=words):
        split(np.tile([0, 1], 50), **options)


def test_fewer_groups_than_folds_are_refused():
    with pytest.raises(BadData, match="`GROUP` holds 3 groups, fewer than the 5 folds; choose folds=3"):
        split(np.tile([0, 1], 50), group=np.arange(100) % 3)


def test_large_test_parts_are_drawn_stratified(monkeypatch):
    monkeypatch.setattr(splits_module, "MAX_TEST_ROWS", 100)
    target = (np.arange(2_000) % 10 == 0).astype(int)
    plan, _ = split(target)
    assert {len(each.test) for each in plan.splits} == {100}
    assert all(abs(target[each.test].sum() - 10) <= 1 for each in plan.splits)
    assert plan.full_size == 1_600
    assert any("100 of 400" in note for note in plan.notes)
    parts = [set(each.test) for each in plan.splits if each.repeat == 0]
    assert len(set.union(*parts)) == 500


def test_default_repeats():
    assert [default_repeats(rows) for rows in (30, 2_500, 2_501, 10_000, 10_001)] == [3, 3, 2, 2, 1]
