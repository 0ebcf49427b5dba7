"""Linear models of more columns than rows: the same answers as those that look at all columns at once."""

import numpy as np
import pytest

from tabbench.linear.elastic_net import squares_of
from tabbench.linear.logistic import LogisticGrid, LogisticPath, fit_logistic
from tabbench.linear.quadratic import Quadratic
from tabbench.linear.rows import Rows
from tabbench.linear.squares import Squares
from tabbench.linear.wide_squares import WideSquares

ROWS, COLUMNS = 60, 400


@pytest.fixture(scope="module")
def wide():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(ROWS, COLUMNS))
    values[:, 5], values[:, 7] = 1.0, values[:, 6]
    return values, values[:, :8].sum(axis=1) + rng.normal(size=ROWS), rng.random(ROWS) + 0.2


@pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])
def test_a_path_of_a_wide_table_predicts_as_that_over_all_columns(wide, l1_ratio):
    values = wide[0]
    usual, narrow = Squares.of(*wide), squares_of(*wide)
    assert isinstance(narrow, WideSquares)
    assert narrow.largest_alpha(l1_ratio) == pytest.approx(usual.largest_alpha(l1_ratio))
    alphas = np.geomspace(1.0, 1e-4, 8) * usual.largest_alpha(l1_ratio)
    for expected, found in zip(usual.walk(alphas, l1_ratio), narrow.walk(alphas, l1_ratio), strict=True):
        np.testing.assert_allclose((values - usual.means) @ found, (values - usual.means) @ expected, atol=1e-9)


def test_a_wide_table_without_variance_gives_an_empty_model():
    squares = squares_of(np.ones((ROWS, COLUMNS)), np.arange(float(ROWS)), np.ones(ROWS))
    assert not np.concatenate(list(squares.walk([1.0, 0.1], 1.0))).any()


def test_with_l1_no_column_of_a_wide_table_is_overlooked(wide):
    values, target, _ = wide
    rows = Rows(values, (target > 0).astype(np.int64), np.ones(ROWS))
    grid = LogisticGrid((LogisticPath(1.0, (0.1, 1.0, 10.0)),), 50, 1e-9)
    for point in grid.points:
        model = fit_logistic(rows, point, grid)
        slopes = values.T @ (model.predict(values)[:, 1] - rows.target)
        used = model.coefficients[0] != 0
        assert np.abs(slopes[~used]).max() <= 1 / point.strength + 1e-3
        np.testing.assert_allclose(slopes[used], -np.sign(model.coefficients[0, used]) / point.strength, atol=1e-3)


def test_a_search_that_may_leave_something_ends_near_the_minimum():
    generator = np.random.default_rng(0)
    values = generator.normal(size=(80, 200))
    slope = values.T @ (values[:, :20].sum(axis=1) + generator.normal(size=80))
    quadratic = Quadratic(values.T @ values + 0.1 * np.eye(200), np.ones(200, dtype=bool))

    def value(point):
        return point @ quadratic.matrix @ point / 2 - slope @ point + 5.0 * np.abs(point).sum()

    exact, near = (quadratic.minimum(slope, 5.0, 0.0, np.zeros(200), left) for left in (0.0, 0.02))
    assert value(exact) <= value(near) <= 0.95 * value(exact) < 0
