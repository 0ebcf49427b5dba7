"""Doubts about labels and numbers: which are doubted, and that honest overlap and heavy tails are not."""

import numpy as np
import pytest

from tabbench.checks.label_noise import doubtful_labels, wild_residuals


def predicted(rows, steepness, seed, classes=2):
    """Probabilities that are as sure as `steepness`, and labels drawn from them."""
    rng = np.random.default_rng(seed)
    scores = steepness * rng.normal(size=(rows, classes))
    odds = np.exp(scores - scores.max(axis=1, keepdims=True))
    probabilities = odds / odds.sum(axis=1, keepdims=True)
    labels = (probabilities.cumsum(axis=1) < rng.random((rows, 1))).sum(axis=1).clip(max=classes - 1)
    return probabilities, labels, rng


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("steepness", [0.3, 1.0, 3.0, 30.0])
@pytest.mark.parametrize("seed", range(5))
def test_honest_overlap_is_not_doubted(classes, steepness, seed):
    probabilities, labels, _ = predicted(1_000, steepness, seed, classes)
    assert doubtful_labels(probabilities, labels) is None


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("share", [0.1, 0.2])
def test_flipped_labels_are_counted_and_found(classes, share):
    probabilities, labels, rng = predicted(2_000, 10.0, 0, classes)
    is_wrong = rng.random(2_000) < share
    given = np.where(is_wrong, (labels + rng.integers(1, classes, 2_000)) % classes, labels)
    # A model of such labels is never surer than they are right.
    blurred = probabilities * (1 - share) + (1 - probabilities) * share / (classes - 1)
    doubt = doubtful_labels(blurred, given)
    assert 0.7 * share <= doubt.count / 2_000 <= 1.3 * share
    assert is_wrong[doubt.positions].mean() > 0.85 and is_wrong[doubt.positions[:20]].mean() > 0.85


def test_a_model_that_knows_nothing_doubts_nothing():
    rng = np.random.default_rng(0)
    assert doubtful_labels(np.full((500, 2), 0.5), rng.integers(0, 2, 500)) is None
    assert doubtful_labels(np.tile([0.9, 0.1], (500, 1)), (rng.random(500) < 0.1).astype(int)) is None


def test_wild_numbers_are_found_and_heavy_tails_are_not():
    rng = np.random.default_rng(0)
    prediction = rng.normal(size=2_000)
    target = prediction + rng.standard_t(4, size=2_000)
    assert wild_residuals(prediction, target) is None
    target[[5, 50, 500]] = 1_000, -2_000, 500
    doubt = wild_residuals(prediction, target)
    assert doubt.count == 3 and doubt.positions.tolist() == [50, 5, 500]
    assert wild_residuals(prediction[:50], target[:50]) is None
    assert wild_residuals(np.zeros(200), np.zeros(200)) is None
