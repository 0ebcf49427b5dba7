"""Regression metrics against scikit-learn and simulation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as oracle

from tabbench.core.metric import METRICS


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 100), st.integers(0, 10**6), st.booleans(), st.floats(1e-3, 1e6))
def test_scores_equal_scikit_learn(rows, seed, is_weighted, scale):
    rng = np.random.default_rng(seed)
    truth, prediction = scale * rng.normal(size=rows), scale * rng.normal(size=rows)
    weight = rng.random(rows) + 0.1 if is_weighted else None
    oracles = {"rmse": oracle.root_mean_squared_error, "mae": oracle.mean_absolute_error, "r2": oracle.r2_score}
    for name, function in oracles.items():
        expected = function(truth, prediction, sample_weight=weight)
        assert METRICS.get(name).score(truth, prediction, weight) == pytest.approx(expected)


def test_perfect_predictions_and_constant_truth():
    truth = np.array([1.0, 2.0, 4.0])
    assert METRICS.get("rmse").score(truth, truth, None) == 0
    assert np.array_equal(METRICS.get("rmse").row_loss(truth, truth, None), np.zeros(3))
    assert METRICS.get("r2").score(truth, truth, None) == 1
    assert np.isnan(METRICS.get("r2").score(np.ones(3), truth, None))
    assert np.isnan(METRICS.get("r2").row_loss(np.ones(3), truth, None)).all()


def test_rmse_rows_have_the_right_variance():
    rng, scores, estimates = np.random.default_rng(0), [], []
    for _ in range(600):
        truth, prediction = rng.normal(size=150), np.zeros(150)
        scores.append(METRICS.get("rmse").score(truth, prediction, None))
        estimates.append(METRICS.get("rmse").row_loss(truth, prediction, None).var(ddof=1) / 150)
    assert np.mean(estimates) == pytest.approx(np.var(scores), rel=0.2)
