"""Every selector: order, restoring, views, noise that gains nothing."""

from functools import wraps

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor
from sklearn.tree import ExtraTreeRegressor

from tabbench.core.approach import SELECTORS, TrainingSet, Workload
from tabbench.core.matrices import LinearMatrix, NetMatrix, TreeMatrix
from tabbench.core.task import Task
from tabbench.selection import forest, l1

BINARY = Task("binary", ("a", "b"), "log_loss", ("log_loss",))
REGRESSION = Task("regression", (), "rmse", ("rmse",))
MULTICLASS = Task("multiclass", ("a", "b", "c"), "log_loss", ("log_loss",))
OF_COLUMNS = ["forest", "l1", "univariate"]
NAMES = SELECTORS.names()


def fitted(name, *, sparse=False, kind="binary", seed=0):
    generator = np.random.default_rng(seed)
    values = generator.normal(size=(120, 12)) * np.r_[np.ones(11), 5]
    signal = values[:, 4] * 3 + generator.normal(size=120) * 0.3
    task = REGRESSION if kind == "regression" else BINARY
    matrix = LinearMatrix(csr_array(values) if sparse else values, tuple(f"x{i}" for i in range(12)))
    selector = SELECTORS.get(name)
    target = signal if kind == "regression" else (signal > 0).astype(np.int64)
    training = TrainingSet(matrix, target, task, selector.settings(Workload(0.1, 120, 12, 2)), seed=1, shared_seed=2)
    return matrix, selector, selector.fit(matrix, training)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("sparse", [False, True])
def test_takes_as_many_features_as_asked_and_is_restored_bit_for_bit(name, sparse):
    matrix, selector, selection = fitted(name, sparse=sparse)
    for n_features in (1, selection.n_features):
        taken = selection.transform(matrix, n_features)
        again = selector.restore(selection.to_parts()).transform(matrix, n_features)
        assert taken.values.shape == (120, n_features)
        assert len(taken.names) == n_features
        first, second = (each.values if isinstance(each.values, np.ndarray) else each.values.toarray() for each in (taken, again))
        assert first.tobytes() == second.tobytes()


@pytest.mark.parametrize("kind", ["binary", "regression"])
@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("name", OF_COLUMNS)
def test_the_column_that_counts_is_found(name, sparse, kind):
    matrix, _, selection = fitted(name, sparse=sparse, kind=kind)
    assert selection.transform(matrix, 1).names == ("x4",)


def in_view(view, task, seed=0, n=300):
    """Noise numbers around x1, which counts; a category that counts; one with a level for every other row, which is noise."""
    generator = np.random.default_rng(seed)
    numbers = generator.standard_t(2, size=(n, 4))
    colour, serial = generator.integers(0, 6, n), generator.permutation(n) // 2
    score = 2 * np.tanh(numbers[:, 1]) + 2.5 * np.isin(colour, [0, 3, 4]) + 0.5 * generator.normal(size=n)
    target = np.exp(score) if task.is_regression else np.digitize(score, [1.25] if task.n_classes == 2 else [0.5, 2])
    names = ("x0", "x1", "x2", "x3", "colour", "serial")
    if view == "trees":
        values = np.column_stack([numbers, colour, serial]).astype(np.float32)
        values[::9, [1, 4]] = np.nan
        # Trees' columns come in any order.
        order = np.array([4, 0, 1, 5, 2, 3])
        levels = np.array([0, 0, 0, 0, 6, n // 2])[order]
        matrix = TreeMatrix(values[:, order], tuple(levels.tolist()), tuple(np.array(names)[order]))
    else:
        matrix = NetMatrix(numbers.astype(np.float32), np.column_stack([colour, serial]) + 1, (7, n // 2 + 1), names)
    return matrix, target


@pytest.mark.parametrize("task", [BINARY, MULTICLASS, REGRESSION], ids=lambda task: task.kind)
@pytest.mark.parametrize("view", ["trees", "net"])
@pytest.mark.parametrize("name", OF_COLUMNS)
def test_original_columns_of_other_views_are_selected(name, view, task):
    matrix, target = in_view(view, task)
    selector = SELECTORS.get(name)
    assert view in selector.views
    settings = selector.settings(Workload(0.1, 300, 6, task.n_classes))
    selection = selector.fit(matrix, TrainingSet(matrix, target, task, settings, seed=1, shared_seed=2))
    taken = selection.transform(matrix, 2)
    assert type(taken) is type(matrix)
    assert set(taken.names) == {"x1", "colour"}
    assert len(taken) == 300
    if view == "net":
        assert (taken.numbers.shape[1], taken.codes.shape[1], taken.cardinalities) == (1, 1, (7,))
        assert taken.codes[:, 0].tolist() == matrix.codes[:, 0].tolist()
    else:
        assert taken.levels == (6, 0)


@pytest.mark.parametrize("view", ["trees", "net"])
def test_noise_gains_nothing_by_many_values(view):
    """On average over draws a column's importance is that of its shadow: zero."""
    worth = []
    for seed in range(6):
        matrix, _ = in_view(view, BINARY, seed)
        target = np.random.default_rng(seed).permutation(300) % 2
        settings = SELECTORS.get("forest").settings(Workload(0.1, 300, 6, 2))
        selection = SELECTORS.get("forest").fit(matrix, TrainingSet(matrix, target, BINARY, settings, seed=1, shared_seed=seed))
        worth.append(selection.importances)
    assert np.abs(np.mean(worth, axis=0)).max() < 0.06


@pytest.mark.parametrize("name", OF_COLUMNS)
def test_a_weight_counts_as_so_many_rows(name):
    """Rows of weight 9 follow x0, the others x1."""
    generator = np.random.default_rng(0)
    values = generator.normal(size=(200, 5))
    is_heavy = np.arange(200) < 100
    target = (np.where(is_heavy, values[:, 0], values[:, 1]) > 0).astype(np.int64)
    matrix = LinearMatrix(values, tuple("abcde"))
    selector = SELECTORS.get(name)
    settings = selector.settings(Workload(0.1, 200, 5, 2))
    for weight, first in ((np.where(is_heavy, 9.0, 1.0), "a"), (np.where(is_heavy, 1.0, 9.0), "b")):
        training = TrainingSet(matrix, target, BINARY, settings, seed=1, shared_seed=2, weight=weight)
        assert selector.fit(matrix, training).transform(matrix, 1).names == (first,)


def test_the_path_takes_a_column_for_what_it_adds():
    """A copy of the best column tells much alone and adds nothing."""
    generator = np.random.default_rng(0)
    values = generator.normal(size=(400, 4))
    values = np.column_stack([values, values[:, 0] + 0.3 * generator.normal(size=400), np.ones(400)])
    target = values[:, 0] + 0.3 * values[:, 3]
    matrix, first_two = LinearMatrix(values, tuple("abcdef")), {}
    for name in ("l1", "univariate"):
        selector = SELECTORS.get(name)
        training = TrainingSet(matrix, target, REGRESSION, selector.settings(Workload(0.1, 400, 6, 0)), seed=1, shared_seed=2)
        selection = selector.fit(matrix, training)
        first_two[name] = selection.transform(matrix, 2).names
        assert selection.order[-1] == 5
    assert first_two == {"l1": ("a", "d"), "univariate": ("a", "e")}


def test_more_columns_than_a_path_can_hold(monkeypatch):
    monkeypatch.setattr(l1, "MOST_PATH_COLUMNS", 3)
    matrix, _, selection = fitted("l1")
    assert selection.transform(matrix, 1).names == ("x4",)
    assert sorted(selection.order) == list(range(12))


def test_components_come_in_order_of_variance_and_look_at_no_target():
    matrix, _, selection = fitted("pca")
    _, _, other_target = fitted("pca", kind="regression")
    spread = selection.transform(matrix, selection.n_features).values.std(axis=0)
    assert (np.diff(spread) <= 1e-9).all()
    assert spread[0] > 3
    assert selection.directions.tobytes() == other_target.directions.tobytes()
    np.testing.assert_allclose(selection.transform(matrix, 3).values.mean(axis=0), 0, atol=1e-9)


def test_sparse_and_dense_components_agree():
    matrix, _, dense = fitted("pca")
    _, _, sparse = fitted("pca", sparse=True)
    np.testing.assert_allclose(dense.transform(matrix, 4).values, sparse.transform(matrix, 4).values, atol=1e-6)


def test_a_wide_matrix_is_decomposed_too():
    generator = np.random.default_rng(0)
    for values in (generator.normal(size=(30, 600)), csr_array(generator.poisson(0.1, size=(30, 600)).astype(float))):
        matrix = LinearMatrix(values, tuple(map(str, range(600))))
        selector = SELECTORS.get("pca")
        training = TrainingSet(matrix, np.arange(30) % 2, Task("binary", ("a", "b"), "log_loss", ("log_loss",)),
                               selector.settings(Workload(0.1, 30, 600, 2)), seed=1, shared_seed=2)
        selection = selector.fit(matrix, training)
        assert 20 <= selection.n_features <= 30
        assert selection.transform(matrix, 5).values.shape == (30, 5)


@pytest.mark.parametrize("task", [BINARY, MULTICLASS, REGRESSION], ids=lambda task: task.kind)
def test_the_forest_is_scikit_learns(task):
    generator = np.random.default_rng(4)
    values, weight = generator.normal(size=(200, 6)).astype(np.float32), generator.uniform(0.5, 2, 200)
    score = values[:, 2] + 0.5 * generator.normal(size=200)
    target = score if task.is_regression else np.digitize(score, [0] if task.n_classes == 2 else [-0.5, 0.5])
    settings = {"trees": 30, "rows_per_tree": 200, "forest_cells": 10**9}
    found = forest.forest_importances(values, target, task, weight, settings, 5, 1)
    plain = (ExtraTreesRegressor if task.is_regression else ExtraTreesClassifier)(
        30, min_samples_leaf=3, max_features=3, bootstrap=True, max_samples=200, random_state=5)
    both = np.hstack([values, values[np.random.default_rng(5).permutation(200)]])
    importances = plain.fit(both, target, sample_weight=weight).feature_importances_
    np.testing.assert_allclose(found, importances[:6] - importances[6:], atol=1e-12)


def test_trees_of_the_forest_are_copies(monkeypatch):
    """Under the private name that scikit-learn has for it now; under another, they would be cloned again, which takes long."""
    made, plain = [], ExtraTreeRegressor.__init__

    @wraps(plain)
    def counted(*given, **named):
        made.append(1)
        plain(*given, **named)

    monkeypatch.setattr(ExtraTreeRegressor, "__init__", counted)
    fitted("forest")  # of fifty trees
    assert 1 <= len(made) < 10
