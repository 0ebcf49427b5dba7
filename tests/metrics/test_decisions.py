"""Scores of decisions, against scikit-learn's."""

import numpy as np
import pytest
from sklearn import metrics

from tabbench import cost_matrix
from tabbench.core.metric import METRICS


@pytest.fixture(params=[2, 5])
def decided(request):
    rng = np.random.default_rng(3)
    truth = rng.integers(0, request.param, 90)
    odds = np.exp(rng.normal(size=(90, request.param)) + np.eye(request.param)[truth])
    return truth, odds / odds.sum(axis=1, keepdims=True), rng.integers(1, 5, 90).astype(float)


ORACLES = {"f1": metrics.f1_score, "precision": metrics.precision_score, "recall": metrics.recall_score,
           "f1_macro": lambda *given, **more: metrics.f1_score(*given, average="macro", **more),
           "precision_macro": lambda *given, **more: metrics.precision_score(*given, average="macro", **more),
           "recall_macro": lambda *given, **more: metrics.recall_score(*given, average="macro", **more),
           "mcc": metrics.matthews_corrcoef, "kappa": metrics.cohen_kappa_score}


@pytest.mark.parametrize("name", ORACLES)
def test_scores_of_the_most_probable_class(decided, name):
    truth, prediction, weight = decided
    metric = METRICS.get(name)
    if prediction.shape[1] == 2 or "multiclass" in metric.tasks:
        for each in (None, weight):
            expected = ORACLES[name](truth, prediction.argmax(axis=1), sample_weight=each)
            assert metric.score(truth, prediction, each) == pytest.approx(expected)


def test_scores_of_probabilities(decided):
    truth, prediction, weight = decided
    if prediction.shape[1] == 2:
        score = METRICS.get("average_precision").score(truth, np.round(prediction, 1), weight)
        assert score == pytest.approx(metrics.average_precision_score(truth, np.round(prediction, 1)[:, 1], sample_weight=weight))
    else:
        expected = metrics.top_k_accuracy_score(truth, prediction, k=2, sample_weight=weight)
        assert METRICS.get("top_2_accuracy").score(truth, prediction, weight) == pytest.approx(expected)


def test_the_influence_of_rows_gives_the_variance_of_f1():
    rng = np.random.default_rng(0)
    f1 = METRICS.get("f1")
    scores, expected = [], []
    for _ in range(200):
        truth = (rng.random(150) < 0.3).astype(int)
        positive = np.where(rng.random(150) < 0.75, truth, 1 - truth) * 0.6 + 0.2
        prediction = np.column_stack([1 - positive, positive])
        scores.append(f1.score(truth, prediction, None))
        expected.append(f1.row_loss(truth, prediction, None).var(ddof=1) / 150)
    assert np.mean(expected) == pytest.approx(np.var(scores), rel=0.25)


def test_a_cost_matrix_takes_the_decision_of_least_expected_cost():
    metric = cost_matrix([[0, 1], [20, 0]], "fraud")
    truth, prediction = np.array([0, 1, 1]), np.array([[0.9, 0.1], [0.9, 0.1], [0.99, 0.01]])
    assert metric.row_loss(truth, prediction, None).tolist() == [1, 0, 20]
    assert metric.score(truth, prediction, None) == 7
