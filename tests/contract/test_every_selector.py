"""The contract of every selector: each view that it takes, each kind of task, restored bit for bit, its input untouched."""

import json
from importlib import import_module

import numpy as np
import pandas as pd
import pytest

from tabbench.approaches.composed import find_approach
from tabbench.core.approach import SELECTORS, TrainingSet, Workload
from tabbench.core.table import Column
from tabbench.core.task import Task
from tabbench.views import fit_view

ROWS = 120
COLUMNS = (Column("x", "number"), Column("noise", "number"), Column("same", "number"), Column("colour", "category"))
TASKS = {"binary": Task("binary", ("a", "b"), "log_loss", ("log_loss",)),
         "multiclass": Task("multiclass", ("a", "b", "c"), "log_loss", ("log_loss",)),
         "regression": Task("regression", (), "rmse", ("rmse",))}
CASES = [(selector.name, view) for selector in SELECTORS for view in selector.views]

every_selector = pytest.mark.parametrize("name", SELECTORS.names())
every_view = pytest.mark.parametrize(("name", "view"), CASES, ids=[f"{name}-{view}" for name, view in CASES])
every_task = pytest.mark.parametrize("kind", list(TASKS))


def usable(name):
    selector = SELECTORS.get(name)
    for package in selector.requires:
        try:
            import_module(package)
        except (ImportError, OSError) as error:
            pytest.skip(f"{name} needs {package}, which does not load here: {error}")
    return selector


def rows_of(kind):
    """Gaps, a level for a few rows, a column that never varies, and a target that depends on two of the columns."""
    random = np.random.default_rng(4)
    x, colour = random.normal(size=ROWS), random.choice(["red", "green", "blue"], ROWS).astype(object)
    signal = 2 * x + (colour == "red") + 0.3 * random.normal(size=ROWS)
    x[::9], colour[::13] = np.nan, None
    features = pd.DataFrame({"x": x, "noise": random.normal(size=ROWS), "same": 1.0, "colour": pd.Categorical(colour)})
    cuts = {"binary": [0.0], "multiclass": [-1.0, 1.0], "regression": None}[kind]
    return features, signal * 1e6 if cuts is None else np.digitize(signal, cuts).astype(np.int64)


def selected(name, view, kind, weight=None):
    selector, (features, target) = usable(name), rows_of(kind)
    matrix = fit_view(view, features, COLUMNS, seed=5).transform(features)
    settings = selector.settings(Workload(0.1, ROWS, len(COLUMNS), TASKS[kind].n_classes))
    training = TrainingSet(matrix, target, TASKS[kind], settings, seed=7, shared_seed=11, weight=weight)
    return selector, matrix, selector.fit(matrix, training)


def arrays_of(matrix):
    held = (getattr(matrix, name, None) for name in ("values", "numbers", "codes"))
    return [each if isinstance(each, np.ndarray) else each.toarray() for each in held if each is not None]


def assert_same(first, second):
    assert first.names == second.names
    for one, two in zip(arrays_of(first), arrays_of(second), strict=True):
        assert one.tobytes() == two.tobytes()


@every_task
@every_view
def test_takes_as_many_features_as_asked_and_is_restored_bit_for_bit(name, view, kind):
    selector, matrix, selection = selected(name, view, kind)
    restored = selector.restore(selection.to_parts())
    assert 1 <= selection.n_features == restored.n_features
    for n_features in {1, selection.n_features}:
        taken = selection.transform(matrix, n_features)
        assert len(taken) == ROWS and len(taken.names) == n_features
        assert all(np.isfinite(each).all() for each in arrays_of(taken)) or view == "trees"
        assert_same(taken, restored.transform(matrix, n_features))


@every_task
@every_view
def test_the_same_rows_give_the_same_selection_and_stay_as_they_are(name, view, kind):
    """Weights that differ by a power of two are the same weights."""
    weight = np.random.default_rng(3).uniform(0.5, 3, ROWS)
    _, matrix, first = selected(name, view, kind, weight)
    _, again, second = selected(name, view, kind, weight * 2.0**-10)
    assert_same(matrix, again)
    assert_same(first.transform(matrix, 1), second.transform(again, 1))
    assert_same(matrix, selected(name, view, kind)[1])


@every_selector
def test_a_learner_that_is_joined_to_it_learns(name):
    usable(name)
    approach, (features, target) = find_approach(f"linear+{name}"), rows_of("regression")
    view = fit_view(approach.view, features, COLUMNS, seed=5)
    settings = approach.settings(Workload(0.1, ROWS, len(COLUMNS), 0))
    fitted = approach.fit(TrainingSet(view.transform(features), target, TASKS["regression"], settings, seed=7, shared_seed=11))
    predicted = fitted.predict(view.transform(features))
    assert np.mean((predicted - target) ** 2) < 0.5 * np.var(target)
    assert approach.restore(fitted.to_parts()).predict(view.transform(features)).tobytes() == predicted.tobytes()


@every_selector
def test_settings_are_plain_and_a_summary_is_there(name):
    selector, workload = SELECTORS.get(name), Workload(1.0, 5000, 12, 3)
    settings = selector.settings(workload)
    assert json.loads(json.dumps(settings, allow_nan=False)) == settings == selector.settings(workload)
    assert selector.summary and not selector.summary.endswith(".")
