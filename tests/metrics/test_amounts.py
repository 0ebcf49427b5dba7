"""Scores of numbers, against scikit-learn's."""

import numpy as np
import pytest
from sklearn import metrics

from tabbench.core.metric import METRICS

RNG = np.random.default_rng(0)
TRUTH, WEIGHT = RNG.poisson(3.0, 80).astype(float), RNG.integers(1, 4, 80).astype(float)
PREDICTION = np.maximum(TRUTH + RNG.normal(size=80), 0.5)
ORACLES = {"mse": metrics.mean_squared_error, "mape": metrics.mean_absolute_percentage_error,
           "rmsle": metrics.root_mean_squared_log_error, "poisson_deviance": metrics.mean_poisson_deviance,
           "pinball_10": lambda *given, **more: metrics.mean_pinball_loss(*given, alpha=0.1, **more),
           "pinball_90": lambda *given, **more: metrics.mean_pinball_loss(*given, alpha=0.9, **more)}


@pytest.mark.parametrize("name", ORACLES)
def test_scores_of_numbers(name):
    for weight in (None, WEIGHT):
        expected = ORACLES[name](TRUTH, PREDICTION, sample_weight=weight)
        assert METRICS.get(name).score(TRUTH, PREDICTION, weight) == pytest.approx(expected)


def test_the_median_error_counts_weights_as_copies():
    metric = METRICS.get("median_absolute_error")
    assert metric.score(TRUTH, PREDICTION, None) == pytest.approx(metrics.median_absolute_error(TRUTH, PREDICTION))
    copies = np.repeat(np.arange(80), WEIGHT.astype(int))
    expected = metrics.median_absolute_error(TRUTH[copies], PREDICTION[copies])
    assert metric.score(TRUTH, PREDICTION, WEIGHT) == pytest.approx(expected)


def test_what_has_no_logarithm_is_undefined_in_the_truth_and_drawn_in_where_predicted():
    for name in ("rmsle", "poisson_deviance"):
        metric = METRICS.get(name)
        assert np.isnan(metric.score(np.array([-1.0, 2.0]), np.array([1.0, 2.0]), None))
        assert np.isfinite(metric.score(np.array([0.0, 2.0]), np.array([-5.0, 2.0]), None))
