"""Linear models of rows with few entries in many columns: as good as those that make a matrix of columns by columns."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from tabbench.linear.elastic_net import squares_of
from tabbench.linear.logistic import LogisticGrid, LogisticPath, fit_logistic
from tabbench.linear.newton import Penalty
from tabbench.linear.rows import Rows
from tabbench.linear.squares import Squares
from tabbench.linear.thin_newton import ThinDescent
from tabbench.linear.thin_rows import is_thinly_filled
from tabbench.linear.thin_squares import ThinSquares
from tabbench.linear.walker import SharedCurvatures, Walker

ROWS, COLUMNS, EQUAL = 500, 400, [11, 17, 23]


@pytest.fixture(scope="module")
def indicators():
    rng = np.random.default_rng(0)
    values = np.zeros((ROWS, COLUMNS))
    for _ in range(3):
        values[np.arange(ROWS), rng.integers(0, COLUMNS, ROWS)] = 1.0
    values[:, EQUAL], values[:, 0] = values[:, [EQUAL[0]]], 0.0
    target = values @ rng.normal(size=COLUMNS) + 0.5 * rng.normal(size=ROWS) + 2
    return values, target, rng.random(ROWS) * (rng.random(ROWS) > 0.1)


def test_filled_and_narrow_rows_are_not_thin(indicators):
    values = indicators[0]
    assert is_thinly_filled(csr_array(values))
    assert not is_thinly_filled(values)
    assert not is_thinly_filled(csr_array(values[:, :50]))
    assert not is_thinly_filled(csr_array(values + 1))


@pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])
def test_a_path_of_squares_is_nearly_as_low_as_the_exact_one(indicators, l1_ratio):
    values, target, weight = indicators
    exact, thin = Squares.of(*indicators), squares_of(csr_array(values), target, weight)
    assert isinstance(thin, ThinSquares)
    assert thin.largest_alpha(l1_ratio) == pytest.approx(exact.largest_alpha(l1_ratio))
    alphas = np.geomspace(1.0, 1e-3, 8) * exact.largest_alpha(l1_ratio)

    def objective(alpha, coefficients):
        left = target - exact.target_mean - (values - exact.means) @ coefficients
        penalty = l1_ratio * np.abs(coefficients).sum() + (1 - l1_ratio) / 2 * coefficients @ coefficients
        return weight @ left**2 / weight.sum() / 2 + alpha * penalty

    for alpha, best, found in zip(alphas, exact.walk(alphas, l1_ratio), thin.walk(alphas, l1_ratio), strict=True):
        assert objective(alpha, found) <= objective(alpha, best) * (1 + 3e-4)


def test_a_target_without_variance_gives_an_empty_path(indicators):
    squares = squares_of(csr_array(indicators[0]), np.full(ROWS, 3.0), np.ones(ROWS))
    for l1_ratio in (0.0, 1.0):
        np.testing.assert_allclose(list(squares.walk([1.0, 0.1], l1_ratio)), 0.0, atol=1e-12)


@pytest.mark.parametrize("l1_ratio", [0.5, 1.0])
def test_each_c_of_a_path_has_the_lowest_objective(l1_ratio):
    rng = np.random.default_rng(0)
    values = (1.0 + rng.poisson(30, (200, 500))) * (rng.random((200, 500)) < 0.01)
    signal = values @ rng.normal(size=500)
    codes = (signal + rng.normal(size=200) * signal.std() / 2 > 0).astype(np.int64)
    thin, dense = (Walker.of(Rows(each, codes, np.ones(200)), l1_ratio, False, SharedCurvatures())
                   for each in (csr_array(values), values))

    def objective(model, strength):
        chance = model.predict(values)[np.arange(200), codes]
        penalty = Penalty.at(strength, l1_ratio).of(np.hstack([model.coefficients, model.intercepts[:, None]]))
        return float(-np.log(np.maximum(chance, 1e-300)).sum() + penalty)

    assert [type(each) for each in thin.descents] == [ThinDescent]
    for strength in np.geomspace(0.01, 10, 7):
        found, exact = (objective(walker.move(strength, 1e-7, 100), strength) for walker in (thin, dense))
        assert found <= exact + 200 * 1e-6, "ten times the decrease a row at which a step may be the last"


@pytest.mark.parametrize("l1_ratio", [0.5, 1.0])
def test_a_column_of_ones_leaves_the_intercept_alone(indicators, l1_ratio):
    values, target, weight = indicators
    ones = values.copy()
    ones[:, 5] = 1.0
    found = list(squares_of(csr_array(ones), target, weight).walk([0.05, 0.001], l1_ratio))
    assert [each[5] for each in found] == [0.0, 0.0]
    model = Walker.of(Rows(csr_array(ones), (target > 2).astype(np.int64), weight + 0.1), l1_ratio, False,
                      SharedCurvatures()).move(1.0, 1e-7, 100)
    assert model.coefficients[0, 5] == 0.0


@pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("classes", [2, 4])
def test_classes_are_predicted_as_from_dense_rows(indicators, classes, l1_ratio):
    values, target, weight = indicators
    codes = np.searchsorted(np.quantile(target, np.arange(1, classes) / classes), target)
    grid = LogisticGrid((LogisticPath(l1_ratio, (0.1, 1.0, 3.0)),), 50, 1e-8)
    for point in grid.points:
        expected, found = (fit_logistic(Rows(each, codes, weight + 0.1), point, grid).predict(values)
                           for each in (values, csr_array(values)))
        np.testing.assert_allclose(found, expected, atol=3e-3)


def test_equal_columns_share_what_l1_leaves_open(indicators):
    values, target, weight = indicators
    coefficients = list(squares_of(csr_array(values), target, weight).walk([0.05, 0.001], 1.0))[-1]
    assert coefficients[EQUAL[0]] != 0
    assert (coefficients[EQUAL] == coefficients[EQUAL[0]]).all()
