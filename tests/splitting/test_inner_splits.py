"""Inner splits obey the outer rules, and work on few rows."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabbench.core.approach import TrainingSet
from tabbench.core.errors import TabbenchError
from tabbench.core.task import Task
from tabbench.splitting.inner_splits import inner_folds, inner_holdout

quick = settings(max_examples=40, deadline=None)


def training_of(target, n_classes, **roles):
    kind = {0: "regression", 2: "binary"}.get(n_classes, "multiclass")
    return TrainingSet(None, np.asarray(target), Task(kind, tuple(map(str, range(n_classes))), "m", ("m",)), {}, 0, 0, **roles)


@st.composite
def trainings(draw, least=20, most=200):
    n_classes, rows = draw(st.sampled_from([0, 2, 3, 5])), draw(st.integers(least, most))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    if n_classes == 0:
        return training_of(rng.normal(size=rows), 0), rng
    shares = rng.dirichlet(np.ones(n_classes))
    target = rng.choice(n_classes, size=rows, p=shares)
    target[:n_classes] = np.arange(n_classes)
    target[n_classes : n_classes + 2] = [0, 1]  # two classes twice at least
    return training_of(target, n_classes), rng


def with_role(training, **roles):
    return training_of(training.target, training.task.n_classes, **roles)


def divisions(training, seed=0):
    yield from inner_folds(training, 3, seed)
    yield inner_holdout(training, 0.2, seed)


def assert_disjoint(training, fit, validation):
    assert len(fit) and len(validation)
    assert not set(fit) & set(validation)
    assert np.all(np.diff(fit) > 0) and np.all(np.diff(validation) > 0)
    assert max(fit[-1], validation[-1]) < len(training)


@quick
@given(trainings(), st.integers(2, 6), st.integers(0, 99))
def test_folds_validate_each_row_once_and_fit_every_class(data, folds, seed):
    training, _ = data
    parts = inner_folds(training, folds, seed)
    assert len(parts) == min(folds, max(2, len(training) // 5))
    validated = np.concatenate([validation for _, validation in parts])
    assert len(set(validated)) == len(validated)
    counts = np.bincount(training.target) if training.task.n_classes else None
    for fit, validation in parts:
        assert_disjoint(training, fit, validation)
        if counts is not None:
            assert set(training.target[fit]) == set(training.target), "also a class of one row is always fitted"
            share = np.bincount(training.target[validation], minlength=len(counts))
            assert np.all(np.abs(share - counts / len(parts))[counts > 1] < 1)
    never = 0 if counts is None else np.count_nonzero(counts == 1)
    assert len(validated) == len(training) - never


@quick
@given(trainings(), st.sampled_from([0.1, 0.2, 0.25, 0.5]), st.integers(0, 99))
def test_a_holdout_has_its_share_and_leaves_every_class(data, fraction, seed):
    training, _ = data
    fit, validation = inner_holdout(training, fraction, seed)
    assert_disjoint(training, fit, validation)
    assert len(fit) + len(validation) == len(training)
    spared = training.task.n_classes if fraction == 0.5 else 0  # a row of every class stays, also where half is asked for
    assert -0.51 - spared <= len(validation) - fraction * len(training) <= 0.51
    if not training.task.is_regression:
        assert set(training.target[fit]) == set(training.target)


@quick
@given(trainings(least=40), st.integers(2, 20))
def test_groups_are_whole(data, n_groups):
    training, rng = data
    # Groups of mixed classes, at least two of them.
    group = np.append(np.arange(2), rng.integers(0, n_groups, size=len(training) - 2))
    training = with_role(training, group=rng.permutation(group))
    counts = [len(np.unique(training.target[training.group != each])) for each in set(training.group)]
    if not training.task.is_regression and min(counts) < 2:
        return  # a group that holds nearly all rows of a class: dealt without groups, tested below
    for fit, validation in divisions(training):
        assert_disjoint(training, fit, validation)
        assert not set(training.group[fit]) & set(training.group[validation])


@quick
@given(trainings(least=40), st.integers(5, 100))
def test_time_goes_forward(data, n_times):
    training, rng = data
    training = training_of(rng.normal(size=len(training)), 0, time=rng.integers(0, n_times, size=len(training)))
    parts = inner_folds(training, 3, 0)
    for fit, validation in [*parts, inner_holdout(training, 0.2, 0)]:
        assert_disjoint(training, fit, validation)
        assert training.time[fit].max() < training.time[validation].min()


def test_time_holdout_takes_the_newest_share():
    time = np.random.default_rng(0).permutation(100)
    fit, validation = inner_holdout(training_of(np.zeros(100), 0, time=time), 0.2, 0)
    assert set(time[validation]) == set(range(80, 100)) and len(fit) == 80


@quick
@given(trainings(least=60))
def test_ties_are_whole(data):
    training, rng = data
    tie = rng.integers(0, len(training) // 3, size=len(training))
    if not training.task.is_regression:
        tie = tie * training.task.n_classes + training.target
    if np.bincount(tie).max() > len(tie) / 10:
        return
    training = with_role(training, tie=tie.astype(np.uint64))
    for fit, validation in divisions(training):
        assert_disjoint(training, fit, validation)
        assert not set(tie[fit]) & set(tie[validation])
        if not training.task.is_regression:
            assert set(training.target[fit]) == set(training.target)


@pytest.mark.parametrize("role", [
    {"group": np.zeros(30, dtype=int)}, {"time": np.zeros(30)}, {"group": np.arange(30) % 2}, {"time": np.arange(30) % 2},
])
def test_where_groups_or_times_leave_no_fold_rows_are_dealt_singly(role):
    training = training_of(np.arange(30) % 2, 2, **role)
    for fit, validation in divisions(training):
        assert_disjoint(training, fit, validation)
        assert set(training.target[fit]) == set(training.target[validation]) == {0, 1}


def test_time_with_groups_fits_on_other_groups():
    rng = np.random.default_rng(0)
    training = training_of(rng.normal(size=200), 0, time=np.arange(200), group=np.arange(200) // 8)
    for fit, validation in divisions(training):
        assert not set(training.group[fit]) & set(training.group[validation])


def test_one_huge_group_never_validates_in_a_holdout():
    group = np.append(np.zeros(60, dtype=int), np.arange(1, 41))
    fit, validation = inner_holdout(training_of(np.zeros(100), 0, group=group), 0.2, 1)
    assert len(validation) == 20 and set(group[fit]) >= {0}


@pytest.mark.parametrize("rows", [4, 7, 10, 20])
def test_few_rows_are_enough(rows):
    for training in (training_of(np.arange(rows) % 2, 2), training_of(np.linspace(0, 1, rows), 0)):
        parts = list(divisions(training))
        assert parts
        for fit, validation in parts:
            assert_disjoint(training, fit, validation)


def test_classes_of_one_row_each_are_dealt_all_the_same():
    for fit, validation in divisions(training_of(np.arange(12), 12)):
        assert len(validation) >= 2 and len(fit) + len(validation) == 12


def test_the_same_seed_gives_the_same_parts():
    training = training_of(np.arange(100) % 3, 3)
    first, again, other = (inner_folds(training, 3, seed) for seed in (1, 1, 2))
    assert all(np.array_equal(one[1], two[1]) for one, two in zip(first, again, strict=True))
    assert not all(np.array_equal(one[1], two[1]) for one, two in zip(first, other, strict=True))


def test_senseless_arguments_are_refused():
    training = training_of(np.arange(20) % 2, 2)
    for call in (lambda: inner_folds(training, 1, 0), lambda: inner_holdout(training, 0.7, 0),
                 lambda: inner_holdout(training, 0.0, 0), lambda: inner_folds(training_of([0, 1, 1], 2), 2, 0)):
        with pytest.raises(TabbenchError, match="no inner split"):
            call()
