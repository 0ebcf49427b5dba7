"""Classification metrics against scikit-learn, closed forms and simulation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as oracle

from tabbench.core.errors import TabbenchError
from tabbench.core.metric import METRICS

quick = settings(max_examples=60, deadline=None)


@st.composite
def predictions(draw, classes=(2, 3, 6), can_lack_classes=False):
    n_classes, rows = draw(st.sampled_from(classes)), draw(st.integers(15, 120))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    truth = rng.integers(0, 2 if can_lack_classes else n_classes, size=rows)
    truth[: 2 if can_lack_classes else n_classes] = np.arange(2 if can_lack_classes else n_classes)
    raw = rng.dirichlet(np.ones(n_classes), size=rows)
    if draw(st.booleans()):  # many equal probabilities
        raw = np.round(raw, 1) + 0.05
    prediction = (raw / raw.sum(axis=1, keepdims=True)).astype(np.float32).astype(np.float64)
    weight = draw(st.sampled_from([None, rng.integers(1, 5, size=rows).astype(float), rng.random(rows) + 0.1]))
    return truth, prediction, weight


def renormalised(prediction):
    return prediction / prediction.sum(axis=1, keepdims=True)


def score(name, data):
    return METRICS.get(name).score(*data)


@quick
@given(predictions())
def test_scores_equal_scikit_learn(data):
    truth, prediction, weight = data
    clean, labels = renormalised(prediction), np.arange(prediction.shape[1])
    best = np.argmax(prediction, axis=1)
    assert score("log_loss", data) == pytest.approx(oracle.log_loss(truth, clean, sample_weight=weight, labels=labels), abs=1e-12)
    assert score("accuracy", data) == pytest.approx(oracle.accuracy_score(truth, best, sample_weight=weight))
    balanced = oracle.balanced_accuracy_score(truth, best, sample_weight=weight)
    assert score("balanced_accuracy", data) == pytest.approx(balanced)
    if prediction.shape[1] == 2:
        assert score("auc", data) == pytest.approx(oracle.roc_auc_score(truth, clean[:, 1], sample_weight=weight))
        assert score("brier", data) == pytest.approx(oracle.brier_score_loss(truth, clean[:, 1], sample_weight=weight))
    else:
        each = [oracle.roc_auc_score(truth == code, clean[:, code], sample_weight=weight) for code in labels]
        share = np.bincount(truth, weights=weight) / np.bincount(truth, weights=weight).sum()
        assert score("auc", data) == pytest.approx(np.dot(each, share))
        distance = ((clean - np.eye(len(labels))[truth]) ** 2).sum(axis=1)
        assert score("brier", data) == pytest.approx(np.average(distance, weights=weight))


@quick
@given(predictions(classes=(4,)))
def test_multiclass_auc_equals_scikit_learn(data):
    truth, prediction, _ = data
    expected = oracle.roc_auc_score(truth, renormalised(prediction), multi_class="ovr", average="weighted")
    assert score("auc", (truth, prediction, None)) == pytest.approx(expected)


@quick
@given(predictions(classes=(5,), can_lack_classes=True))
def test_classes_absent_from_the_test_part(data):
    truth, prediction, weight = data
    values = {name: score(name, data) for name in METRICS.names() if "multiclass" in METRICS.get(name).tasks}
    assert all(np.isfinite(value) for value in values.values())
    assert values["balanced_accuracy"] == pytest.approx(np.mean([
        np.average((np.argmax(prediction, axis=1) == code)[truth == code],
                   weights=None if weight is None else weight[truth == code]) for code in (0, 1)]))


def test_auc_is_undefined_with_one_class():
    for columns in (2, 3):
        prediction = np.full((4, columns), 1 / columns)
        assert np.isnan(score("auc", (np.zeros(4, dtype=int), prediction, None)))


def test_log_loss_is_clipped_and_renormalises_float32():
    truth = np.array([0, 1])
    wrong = np.array([[0.0, 1.0], [1.0, 0.0]], dtype=np.float32)
    assert score("log_loss", (truth, wrong, None)) == pytest.approx(-np.log(1e-15))
    thirds = np.full((1, 3), 1 / 3, dtype=np.float32)
    assert score("log_loss", (truth[:1], thirds, None)) == pytest.approx(np.log(3), abs=1e-15)


@pytest.mark.parametrize("bad", [[[np.nan, 1.0]], [[np.inf, 0.0]], [[0.0, 0.0]], [[-0.5, 1.5]]])
def test_what_is_no_probability_is_refused(bad):
    finite = np.isfinite(bad).all()  # the AUC takes any scores that rank
    for name in ("log_loss", "brier", "calibration_error", *([] if finite else ["auc"])):
        with pytest.raises(TabbenchError, match="no probabilities"):
            score(name, (np.array([0]), np.array(bad), None))


def simulated_variance(name, draw, runs=400):
    """The variance of the score over fresh data, and the mean of its estimate from the row losses."""
    metric, scores, estimates = METRICS.get(name), [], []
    for _ in range(runs):
        truth, prediction = draw()
        scores.append(metric.score(truth, prediction, None))
        estimates.append(metric.row_loss(truth, prediction, None).var(ddof=1) / len(truth))
    return np.var(scores), np.mean(estimates)


@pytest.mark.parametrize("name", ["auc", "balanced_accuracy"])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_row_losses_have_the_right_variance(name, n_classes):
    rng = np.random.default_rng(0)

    def draw():
        truth = rng.choice(n_classes, size=200, p=[0.7, 0.3] if n_classes == 2 else [0.6, 0.3, 0.1])
        logits = rng.normal(size=(200, n_classes)) + 1.2 * np.eye(n_classes)[truth]
        return truth, np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)

    true, estimated = simulated_variance(name, draw)
    assert estimated == pytest.approx(true, rel=0.25)  # 400 runs know a variance to 7 %; first order is not exact


def test_binary_auc_rows_give_delongs_variance():
    rng = np.random.default_rng(1)
    truth = np.repeat([0, 1], [70, 30])
    value = rng.random(100) * 0.8 + 0.1 * truth
    rows = METRICS.get("auc").row_loss(truth, np.column_stack([1 - value, value]), None)
    wins = (value[truth == 1][:, None] > value[truth == 0]).astype(float)
    delong = wins.mean(axis=1).var(ddof=1) / 30 + wins.mean(axis=0).var(ddof=1) / 70
    assert rows.var() / 100 == pytest.approx(delong)


def test_rows_of_unequal_weight_show_their_variance():
    rng, weight = np.random.default_rng(4), np.append(np.ones(60), [1.0] * 9 + [10.0])
    scores, estimates = [], []
    for _ in range(3_000):
        truth = np.repeat([0, 1], [60, 10])
        value = 1 / (1 + np.exp(-rng.normal(size=70) - truth))
        data = truth, np.column_stack([1 - value, value]), weight
        scores.append(METRICS.get("auc").score(*data))
        rows = METRICS.get("auc").row_loss(*data)
        share = weight / weight.sum()
        estimates.append(np.sum(share**2 * (rows - share @ rows) ** 2))
    assert np.mean(estimates) == pytest.approx(np.var(scores), rel=0.15)


@pytest.mark.parametrize("name", ["auc", "balanced_accuracy"])
def test_a_class_of_few_rows_is_not_thought_to_be_better_known_than_it_is(name):
    rng, truth = np.random.default_rng(3), np.repeat([0, 1], [60, 3])

    def draw():
        value = 1 / (1 + np.exp(-rng.normal(size=63) - truth + 0.5))
        return truth, np.column_stack([1 - value, value])

    true, estimated = simulated_variance(name, draw, runs=2_000)
    assert estimated == pytest.approx(true, rel=0.1)  # without the correction a third is missing


@pytest.mark.parametrize(("name", "rows", "counts"), [
    ("auc", [500, 3], [1, 1]), ("auc", [40, 40, 40], [2 / 3] * 3), ("balanced_accuracy", [500, 3], [1 / 2] * 2),
    ("balanced_accuracy", [2] * 30, [1 / 30] * 30), ("balanced_accuracy", [7], [1]),
])
@pytest.mark.parametrize("scale", [1.0, 3.0, 1e-200, 1e160])
def test_what_each_class_counts(name, rows, counts, scale):
    truth = np.repeat(np.arange(len(rows)), rows)
    found = METRICS.get(name).classes(truth, np.full(len(truth), scale))
    assert found[0] == pytest.approx(counts)
    assert found[1] == pytest.approx(rows)
    with_nothing = METRICS.get(name).classes(np.append(truth, 99), np.append(np.full(len(truth), scale), 0.0))
    assert with_nothing[1] == pytest.approx(rows)


@pytest.mark.parametrize("name", ["auc", "balanced_accuracy"])
@pytest.mark.parametrize("rows", [[60, 6], [20, 6, 3]])
@pytest.mark.parametrize("is_weighted", [False, True])
def test_a_class_moves_the_score_by_what_it_counts(name, rows, is_weighted):
    # All is known, or the last class's rows are taken for the first class's, more surely than any of those.
    truth, metric = np.repeat(np.arange(len(rows)), rows), METRICS.get(name)
    weight = np.random.default_rng(0).uniform(0.2, 3.0, len(truth)) if is_weighted else None
    known = np.full((len(truth), len(rows)), 0.01)
    known[np.arange(len(truth)), truth] = 1.0
    lost, last = known.copy(), truth == len(rows) - 1
    lost[last] = np.eye(len(rows))[0] + 1e-4
    moved = metric.score(truth, known, weight) - metric.score(truth, lost, weight)
    assert moved <= metric.classes(truth, weight)[0][-1] + 1e-9
    assert moved >= 0.5 * metric.classes(truth, weight)[0][-1]


@pytest.mark.parametrize("name", ["auc", "balanced_accuracy"])
def test_a_class_of_one_row_has_row_losses_with_the_right_mean(name):
    truth, prediction = np.array([0, 0, 0, 1]), np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.3, 0.7]])
    for weight in (None, np.array([1.0, 2.0, 1.0, 3.0])):
        rows = METRICS.get(name).row_loss(truth, prediction, weight)
        assert -np.average(rows, weights=weight) == pytest.approx(METRICS.get(name).score(truth, prediction, weight))


def calibrated(rng, rows, n_classes):
    prediction = rng.dirichlet(np.ones(n_classes), size=rows)
    truth = (prediction.cumsum(axis=1) < rng.random((rows, 1))).sum(axis=1)
    return truth, prediction


@pytest.mark.parametrize("n_classes", [2, 4])
def test_calibrated_predictions_have_no_calibration_error_to_speak_of(n_classes):
    rng = np.random.default_rng(0)
    errors = [score("calibration_error", (*calibrated(rng, 1_000, n_classes), None)) for _ in range(40)]
    # Without debiasing the mean over 15 bins of 67 rows would be about 0.05.
    assert np.mean(errors) < 0.02


def test_calibration_error_is_the_gap():
    rng = np.random.default_rng(0)
    truth = (rng.random(100_000) < 0.3).astype(int)
    prediction = np.tile([0.5, 0.5], (100_000, 1))
    assert score("calibration_error", (truth, prediction, None)) == pytest.approx(0.2, abs=0.01)
    weight = np.where(truth == 1, 7 / 3, 1.0)  # weighted, the classes are even
    assert score("calibration_error", (truth, prediction, weight)) == pytest.approx(0, abs=0.02)


def test_calibration_error_ignores_rows_without_weight():
    rng = np.random.default_rng(0)
    truth, prediction = calibrated(rng, 300, 3)
    weight = (np.arange(300) < 200).astype(float)
    expected = score("calibration_error", (truth[:200], prediction[:200], None))
    assert score("calibration_error", (truth, prediction, weight)) == pytest.approx(expected)
