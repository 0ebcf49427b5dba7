"""Every selector: order, restoring, weights that do no harm."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from tabbench.core.approach import SELECTORS, TrainingSet, Workload
from tabbench.core.matrices import LinearMatrix
from tabbench.core.task import Task

BINARY = Task("binary", ("a", "b"), "log_loss", ("log_loss",))
NAMES = SELECTORS.names()


def fitted(name, *, sparse=False, kind="binary", seed=0):
    generator = np.random.default_rng(seed)
    values = generator.normal(size=(120, 12)) * np.r_[np.ones(11), 5]
    signal = values[:, 4] * 3 + generator.normal(size=120) * 0.3
    task = Task("regression", (), "rmse", ("rmse",)) if kind == "regression" else BINARY
    matrix = LinearMatrix(csr_array(values) if sparse else values, tuple(f"x{i}" for i in range(12)))
    selector = SELECTORS.get(name)
    target = signal if kind == "regression" else (signal > 0).astype(np.int64)
    training = TrainingSet(matrix, target, task, selector.settings(Workload("fast", 120, 12, 2)), seed=1, shared_seed=2)
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
def test_the_forest_finds_the_column_that_counts(kind):
    matrix, _, selection = fitted("forest", kind=kind)
    assert selection.transform(matrix, 1).names == ("x4",)


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
                               selector.settings(Workload("fast", 30, 600, 2)), seed=1, shared_seed=2)
        selection = selector.fit(matrix, training)
        assert 20 <= selection.n_features <= 30
        assert selection.transform(matrix, 5).values.shape == (30, 5)
